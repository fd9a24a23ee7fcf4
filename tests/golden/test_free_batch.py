"""A batch that stays free: `shapes: {x: [null, ...]}` by each route, every file run with one sample and with three."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from project_tools import tiny_manifest, tiny_project, write_manifest
from torch_tools import ANY, CLASS, EXPORTS, OLD, make_models, project

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.errors import GateError, ModelError, PlanError
from packager.importers import tflite_file
from packager.runtimes.coreml.mil import MilProgram
from packager.session import Session, open_session

pytestmark = pytest.mark.heavy
FREE = {"image": [None, 8, 8, 3]}
ALL = [f"{name}/{precision}" for name in ("tflite", "onnx", "coreml") for precision in ("float32", "float16", "int8")]
CALIBRATION = {"photo": ["red.png", "blue.png"]}


def keras_model() -> Any:
    """float32 [n, 8, 8, 3] -> two probabilities, with layers whose code asks for the batch: Reshape, LSTM, Flatten."""
    import keras
    from keras import layers

    image = keras.Input((8, 8, 3), name="image")
    colour = layers.GlobalAveragePooling2D()(image)
    rows = layers.Reshape((8, 24))(layers.DepthwiseConv2D(3, padding="same")(image))
    state = layers.Bidirectional(layers.LSTM(3))(rows)
    joined = layers.Concatenate()([layers.Flatten()(colour), state])
    net = keras.Model(image, layers.Dense(2, activation="softmax", name="scores")(joined))
    generator = np.random.default_rng(0)
    net.set_weights([generator.normal(0, 0.3, weight.shape) for weight in net.get_weights()])
    ends = np.concatenate([[[6, -6], [0, 0], [-6, 6]], generator.normal(0, 0.1, (6, 2))])
    net.layers[-1].set_weights([ends, np.zeros(2)])
    return net


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """One for all tests here: TensorFlow is started once."""
    with open_session(NullConsole()) as opened:
        yield opened


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`net.keras`, and as a SavedModel `looping/`; `plain/`, `plain.tflite`; `fixed.tflite`, whose batch is 1."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("models")
    net = keras_model()
    net.save(folder / "net.keras")
    weights = tf.constant([[6, -6], [0, 0], [-6, 6]], tf.float32)

    def plain(image: Any) -> dict[str, Any]:
        return {"scores": tf.nn.softmax(tf.reshape(tf.reduce_mean(image, [1, 2]), [-1, 3]) @ weights)}

    def traced(call: Any, size: int | None) -> Any:
        return tf.function(call).get_concrete_function(tf.TensorSpec([size, 8, 8, 3], tf.float32, name="image"))

    held = tf.Module()
    held.net = net
    for name, call in (("looping", lambda image: {"scores": net(image)}), ("plain", plain)):
        tf.saved_model.save(held, str(folder / name), signatures={"serving_default": traced(call, None)})
    for name, size in (("plain", None), ("fixed", 1)):
        data = tf.lite.TFLiteConverter.from_concrete_functions([traced(plain, size)]).convert()
        (folder / f"{name}.tflite").write_bytes(data)
    return folder


def build(session: Session, folder: Path, model: Path, formats: list[str], shapes: Any = None) -> Path:
    """A bundle of the small project with this model."""
    tiny_project(folder)
    copy = shutil.copytree if model.is_dir() else shutil.copyfile
    copy(model, folder / model.name)
    data = tiny_manifest(
        model={"source": model.name, "shapes": FREE if shapes is None else shapes},
        formats=formats,
        calibration=CALIBRATION if any("int8" in name for name in formats) else None,
    )
    return pipeline.build(session, write_manifest(folder, data), folder / "dist")


def rows(bundle: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((bundle / "evidence.json").read_bytes())["artifacts"]
    return found


def expect_free(bundle: Path, formats: list[str]) -> None:
    """Every file has an open batch, and three samples in one run gave what each gives alone."""
    seen = set()
    for row in rows(bundle):
        seen.add(f"{row['runtime']}/{row['precision']}")
        assert row["gate"]["batch"]["size"] == 3, row
        limit = 1e-6 if row["precision"] == "float32" else 0.02
        assert row["gate"]["batch"]["figures"]["max_abs"] <= limit, row
    assert seen == set(formats)
    for path in bundle.rglob("*.tflite"):
        graph = tflite_file.load(path).subgraphs[0]
        ends = [graph.tensors[index] for index in (*graph.inputs, *graph.outputs)]
        assert [tflite_file.shape(tensor)[0] for tensor in ends] == [None, None], path
    for path in bundle.rglob("*.onnx"):
        made = onnx.load(path).graph
        named = [value.type.tensor_type.shape.dim[0].dim_param for value in (*made.input, *made.output)]
        assert named[0] == "batch" and all(named), path
    for path in bundle.rglob("*.mlpackage"):
        program = MilProgram.load(path)
        assert [spec.shape[0] for spec in (*program.inputs, *program.outputs)] == [-1, -1], path


def test_a_keras_network(session: Session, models: Path, tmp_path: Path) -> None:
    wanted = [*ALL, "tflite/int8-dynamic"]
    bundle = build(session, tmp_path / "p", models / "net.keras", wanted)
    expect_free(bundle, wanted)
    assert "3 samples in one run beside each of them alone: max abs" in (bundle / "report.html").read_text("utf-8")


def test_a_saved_model(session: Session, models: Path, tmp_path: Path) -> None:
    wanted = ["tflite/float32", "onnx/float32", "coreml/float32"]
    expect_free(build(session, tmp_path / "p", models / "plain", wanted), wanted)


def test_a_tflite_file_is_copied_and_converted(session: Session, models: Path, tmp_path: Path) -> None:
    wanted = ["tflite/float32", "onnx/float32", "coreml/float32"]
    expect_free(build(session, tmp_path / "p", models / "plain.tflite", wanted), wanted)


def test_a_tflite_file_with_a_fixed_batch_is_refused(session: Session, models: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="fixes the batch of input 'image' at 1"):
        build(session, tmp_path / "p", models / "fixed.tflite", ["onnx/float32"])


def test_an_onnx_file_whose_batch_is_overridden(session: Session, tmp_path: Path) -> None:
    tiny_project(tmp_path / "m")
    wanted = ["tflite/float32", "onnx/float32", "onnx/int8", "coreml/float32"]
    expect_free(build(session, tmp_path / "p", tmp_path / "m" / "tiny.onnx", wanted), wanted)


def test_a_file_that_only_claims_a_free_batch_fails_its_gate(session: Session, tmp_path: Path) -> None:
    """A Reshape to one row takes any batch, and gives one answer for all."""
    tiny_project(tmp_path / "m")
    file = tmp_path / "m" / "tiny.onnx"
    model = onnx.load(file)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1, -1]), "one"))
    model.graph.node[1].input[0] = "row"
    model.graph.node.insert(1, onnx.helper.make_node("Reshape", ["colour", "one"], ["row"]))
    onnx.save(model, file)
    with pytest.raises(GateError, match="it cannot run a batch of 3"):
        build(session, tmp_path / "p", file, ["onnx/float32"])


def test_without_null_the_batch_is_one(session: Session, models: Path, tmp_path: Path) -> None:
    wanted = ["tflite/float32", "onnx/float32", "coreml/float32"]
    bundle = build(session, tmp_path / "p", models / "net.keras", wanted, shapes={})
    assert all("batch" not in row["gate"] for row in rows(bundle))
    (path,) = bundle.rglob("*.tflite")
    graph = tflite_file.load(path).subgraphs[0]
    assert tflite_file.shape(graph.tensors[graph.inputs[0]]) == (1, 8, 8, 3)


def test_what_cannot_have_a_free_batch_is_refused_by_name(session: Session, models: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"the graph has a loop \(While\), whose lists have a fixed batch"):
        build(session, tmp_path / "l", models / "looping", ["tflite/float32"])
    with pytest.raises(PlanError, match="an image input is one picture, but the batch of 'image' is to stay free"):
        build(session, tmp_path / "p", models / "net.keras", ["coreml_image/float32"])


@ANY
@pytest.mark.parametrize("source", ["net.pth", "traced.pt", "scripted.pt"])
def test_a_network_of_torch(session: Session, tmp_path: Path, torch_models: Path, source: str) -> None:
    wanted = ["onnx/float32", "tflite/float32", "coreml/float32"] if source == "net.pth" else ["onnx/float32"]
    keys = {**(CLASS if source == "net.pth" else {}), "shapes": FREE}
    file = project(tmp_path / "p", torch_models, source, formats=wanted, **keys)
    expect_free(pipeline.build(session, file, tmp_path / "d"), wanted)


@pytest.fixture(scope="module")
def torch_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small net of the PyTorch tests in every form, made by the oldest torch."""
    assert OLD is not None
    return make_models(tmp_path_factory.mktemp("torch") / "models", OLD)


@EXPORTS
def test_an_exported_program(session: Session, tmp_path: Path, torch_models: Path) -> None:
    file = project(tmp_path / "p", torch_models, "free.pt2", formats=["onnx/float32"], shapes=FREE)
    expect_free(pipeline.build(session, file, tmp_path / "d"), ["onnx/float32"])
    fixed = project(tmp_path / "f", torch_models, "net.pt2", shapes=FREE)
    with pytest.raises(ModelError, match="it fixes the batch of its input 'image' at 1"):
        pipeline.build(session, fixed, tmp_path / "d")
    larger = project(tmp_path / "l", torch_models, "free.pt2", shapes={"image": [None, 16, 16, 3]})
    with pytest.raises(ModelError, match="its input 'image' does not take 16 at axis 1") as caught:
        pipeline.build(session, larger, tmp_path / "d")
    (finding,) = caught.value.findings
    assert "it takes [any, 8, 8, 3]" in finding.hint
    assert finding.where is not None and finding.where.line > 1
