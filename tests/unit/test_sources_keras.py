"""Keras files are read from their configuration alone; nothing is built, no code is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import pytest
from sources_tools import functional, keras_2, keras_3, layer

from packager.core.errors import ModelError
from packager.model.tensors import Activation
from packager.sources import keras, keras_h5
from packager.sources._keras.loops import long_loop, recurrent_steps
from packager.sources._keras.network import read_network

INPUT = layer("InputLayer", "photo", batch_input_shape=[None, 32, 24, 3], dtype="float32")
CONV: dict[str, Any] = {"filters": 8, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same", "activation": "relu"}


def shapes_of(tmp_path: Path, *layers: dict[str, Any]) -> tuple[int | None, ...]:
    config = functional([INPUT, *layers], ["photo"], [layers[-1]["name"]])
    return keras_h5.inspect(keras_2(tmp_path / "m.h5", config), {}).outputs[0].shape


def test_interface_of_a_functional_model(tmp_path: Path) -> None:
    layers = [
        INPUT,
        layer("InputLayer", "meta", batch_input_shape=[None, 5], dtype="int32"),
        layer("Conv2D", "conv", "photo", **CONV),
        layer("GlobalAveragePooling2D", "pool", "conv"),
        layer("Concatenate", "join", "pool", "meta", axis=-1),
        layer("Dense", "box", "join", units=4, activation="linear"),
        layer("Dense", "classes", "join", units=7, activation="softmax"),
        layer("Reshape", "flat", "classes", target_shape=[7, 1]),
    ]
    found = keras_h5.inspect(keras_2(tmp_path / "m.h5", functional(layers, ["photo", "meta"], ["box", "flat"])), {})
    assert [(spec.name, spec.dtype, spec.shape) for spec in found.inputs] == [
        ("photo", "float32", (None, 32, 24, 3)),
        ("meta", "int32", (None, 5)),
    ]
    assert [(spec.name, spec.shape) for spec in found.outputs] == [("box", (None, 4)), ("flat", (None, 7, 1))]
    assert found.activations == {"flat": Activation("softmax", "classes")}
    assert found.ops["Dense"] == 2
    assert found.facts["parameters"] == 6
    assert found.unseen == ()


def test_steps_of_recurrent_layers_are_those_that_reach_them() -> None:
    """Behind a stride, in a nested network that is called twice, and below the steps of a wrapper."""
    cell: dict[str, Any] = {"units": 2, "return_sequences": True}
    inner = functional(
        [layer("InputLayer", "rows", batch_input_shape=[None, None, 2]), layer("GRU", "gru", "rows", **cell)],
        ["rows"], ["gru"],
    )  # fmt: skip
    net = {**layer("Functional", "net", "lstm"), "config": {**inner["config"], "name": "net"}}
    net["inbound_nodes"].append([["conv", 0, 0, {}]])
    layers = [
        layer("InputLayer", "x", batch_input_shape=[None, None, 4]),
        layer("Conv1D", "conv", "x", filters=2, kernel_size=[8], strides=[8], padding="same"),
        layer("MaxPooling1D", "pool", "conv", pool_size=[2], strides=[2], padding="valid"),
        layer("LSTM", "lstm", "pool", **cell),
        net,
        layer("InputLayer", "words", batch_input_shape=[None, 300, 5, 2]),
        layer("TimeDistributed", "each", "words",
              layer={"class_name": "LSTM", "config": {"name": "within", "units": 2}}),
    ]  # fmt: skip
    network = read_network(functional(layers, ["x", "words"], ["lstm", "each"]))
    shapes = [(1, 400, 4), (1, 300, 5, 2)]
    found = list(recurrent_steps(network, shapes))
    assert found == [(("lstm",), 25), (("net", "gru"), 25), (("net", "gru"), 50), (("each",), 5)]
    assert long_loop(network, shapes) is None
    assert long_loop(network, [(1, 8 * 257, 4), None]) == "net/gru"


def test_sequential_without_an_input_layer(tmp_path: Path) -> None:
    layers = [
        layer("Dense", "hidden", units=4, activation="relu", batch_input_shape=[None, 9]),
        layer("Dense", "dense", units=2, activation="linear"),
        layer("Activation", "act", activation="sigmoid"),
    ]
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": layers}}
    found = keras_h5.inspect(keras_2(tmp_path / "m.h5", config), {})
    assert (found.inputs[0].name, found.inputs[0].shape) == ("hidden_input", (None, 9))
    assert (found.outputs[0].name, found.outputs[0].shape) == ("act", (None, 2))
    assert found.activations["act"] == Activation("sigmoid", "act")


def test_the_oldest_sequential_is_a_bare_list(tmp_path: Path) -> None:
    config = {"class_name": "Sequential", "config": [layer("Dense", "d", units=2, batch_input_shape=[None, 3])]}
    assert keras_h5.inspect(keras_2(tmp_path / "m.h5", config, "2.0.8"), {}).outputs[0].shape == (None, 2)


def test_nested_model_ends_in_its_own_layer(tmp_path: Path) -> None:
    inner = functional(
        [
            layer("InputLayer", "x", batch_input_shape=[None, 6]),
            layer("Dense", "last", "x", units=3, activation="softmax"),
        ],
        ["x"],
        ["last"],
    )
    nested = {"class_name": "Functional", "name": "head", "config": inner["config"] | {"name": "head"}}
    nested["inbound_nodes"] = [[["photo", 1, 0, {}]]]
    start = layer("InputLayer", "photo", batch_input_shape=[None, 6])
    config = functional([start, nested], ["photo"], ["head"])
    config["config"]["output_layers"] = [["head", 1, 0]]
    found = keras_h5.inspect(keras_2(tmp_path / "m.h5", config), {})
    assert (found.outputs[0].name, found.outputs[0].shape) == ("head", (None, 3))
    assert found.activations["head"] == Activation("softmax", "last")


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([layer("Conv2D", "a", "photo", **CONV)], (None, 16, 12, 8)),
        ([layer("Conv2D", "a", "photo", **CONV | {"padding": "valid"})], (None, 15, 11, 8)),
        ([layer("DepthwiseConv2D", "a", "photo", kernel_size=[3, 3], depth_multiplier=2)], (None, 30, 22, 6)),
        ([layer("Conv2D", "a", "photo", **CONV | {"strides": [1, 1], "dilation_rate": [2, 2], "padding": "valid"})],
         (None, 28, 20, 8)),
        ([layer("Conv2DTranspose", "a", "photo", **CONV)], (None, 64, 48, 8)),
        ([layer("Conv2DTranspose", "a", "photo", **CONV | {"padding": "valid"})], (None, 65, 49, 8)),
        ([layer("MaxPooling2D", "a", "photo", pool_size=[3, 3], strides=[2, 2], padding="valid")], (None, 15, 11, 3)),
        ([layer("ZeroPadding2D", "a", "photo", padding=[[0, 1], [2, 3]])], (None, 33, 29, 3)),
        ([layer("Cropping2D", "a", "photo", cropping=[[1, 1], [2, 2]])], (None, 30, 20, 3)),
        ([layer("UpSampling2D", "a", "photo", size=[2, 3])], (None, 64, 72, 3)),
        ([layer("Flatten", "a", "photo")], (None, 2304)),
        ([layer("Permute", "a", "photo", dims=[3, 1, 2])], (None, 3, 32, 24)),
        ([layer("Reshape", "r", "photo", target_shape=[32, -1]), layer("LSTM", "a", "r", units=5)], (None, 5)),
        ([layer("Reshape", "r", "photo", target_shape=[32, 72]),
          layer("Bidirectional", "a", "r", merge_mode="concat",
                layer={"class_name": "GRU", "config": {"units": 5, "return_sequences": True}})], (None, 32, 10)),
        ([layer("Conv2D", "a", "photo", **CONV), layer("Conv2D", "b", "photo", **CONV), layer("Add", "c", "a", "b")],
         (None, 16, 12, 8)),
    ],
)  # fmt: skip
def test_shapes_of_layers(tmp_path: Path, layers: list[dict[str, Any]], shape: tuple[int | None, ...]) -> None:
    assert shapes_of(tmp_path, *layers) == shape


def test_a_shape_that_cannot_be_seen_is_said_so(tmp_path: Path) -> None:
    config = functional(
        [INPUT, layer("TFOpLambda", "op", "photo", function="linalg.matrix_transpose")], ["photo"], ["op"]
    )
    found = keras_h5.inspect(keras_2(tmp_path / "m.h5", config), {})
    assert found.facts["unknown_shapes"] == ["op"]
    assert "op" in found.unseen[0]


def test_given_shapes_win(tmp_path: Path) -> None:
    path = keras_2(tmp_path / "m.h5", functional([INPUT, layer("Flatten", "f", "photo")], ["photo"], ["f"]))
    assert keras_h5.inspect(path, {"photo": (2, 8, 8, 3)}).outputs[0].shape == (2, 192)
    with pytest.raises(ModelError, match="no input 'phto'"):
        keras_h5.inspect(path, {"phto": (1, 8, 8, 3)})


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (layer("Lambda", "bad", "photo", function=["4wEAAAA=", None, None], function_type="lambda"), "is a Lambda"),
        (layer("Sobel", "bad", "photo"), "custom class 'Sobel'"),
        (layer("mine>Dense", "bad", "photo", units=3), "custom class 'mine>Dense'"),
        (layer("TextVectorization", "bad", "photo"), "is a TextVectorization"),
        (
            layer("TFOpLambda", "bad", "photo", function="io.write_file"),
            "calls the TensorFlow function 'io.write_file'",
        ),
        (layer("TFOpLambda", "bad", "photo", function="numpy_function"), "calls the TensorFlow function"),
        (layer("Dense", "bad", "photo", units=3, activation="my_act"), "custom function 'my_act'"),
        (layer("TimeDistributed", "bad", "photo", layer={"class_name": "Lambda", "config": {}}), "is a Lambda"),
    ],
)
def test_refused_by_name(tmp_path: Path, bad: dict[str, Any], words: str) -> None:
    path = keras_2(tmp_path / "m.h5", functional([INPUT, bad], ["photo"], ["bad"]))
    with pytest.raises(ModelError) as caught:
        keras_h5.inspect(path, {})
    (finding,) = caught.value.findings
    assert words in finding.what
    assert "bad" in finding.what
    assert finding.hint


def test_a_lambda_inside_a_nested_model_is_found(tmp_path: Path) -> None:
    inner = {"class_name": "Sequential", "name": "inner", "config": {"name": "inner", "layers": [
        layer("Dense", "d", units=2, batch_input_shape=[None, 3]), layer("Lambda", "hidden")]},
        "inbound_nodes": [[["photo", 0, 0, {}]]]}  # fmt: skip
    path = keras_2(tmp_path / "m.h5", functional([INPUT, inner], ["photo"], ["inner"]))
    with pytest.raises(ModelError, match="'inner/hidden' is a Lambda"):
        keras_h5.inspect(path, {})


def test_weights_alone_and_broken_files(tmp_path: Path) -> None:
    weights = tmp_path / "w.h5"
    with h5py.File(weights, "w") as file:
        file.create_group("dense")
    with pytest.raises(ModelError, match="weights without an architecture"):
        keras_h5.inspect(weights, {})
    whole = keras_2(tmp_path / "m.h5", functional([INPUT, layer("Flatten", "f", "photo")], ["photo"], ["f"]))
    broken = tmp_path / "b.h5"
    broken.write_bytes(whole.read_bytes()[:900])
    assert keras_h5.detect(broken)
    with pytest.raises(ModelError, match="broken HDF5 file"):
        keras_h5.inspect(broken, {})
    nonsense = keras_2(tmp_path / "n.h5", {"class_name": "Functional", "config": {"layers": 3}})
    with pytest.raises(ModelError, match="cannot be read"):
        keras_h5.inspect(nonsense, {})


def keras_3_layer(
    class_name: str, name: str, *inputs: str, module: str = "keras.layers", **config: Any
) -> dict[str, Any]:
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"shape": [None, 4], "keras_history": [source, 0, 0]}}
        for source in inputs
    ]
    calls = [{"args": tensors, "kwargs": {}}] if inputs else []
    config = {"name": name, **config}
    return {"module": module, "class_name": class_name, "name": name, "config": config, "inbound_nodes": calls,
            "registered_name": None}  # fmt: skip


def keras_3_model(*layers: dict[str, Any]) -> dict[str, Any]:
    start = keras_3_layer("InputLayer", "x", batch_shape=[None, 4], dtype="float32")
    ends = {"input_layers": ["x", 0, 0], "output_layers": {"b": ["one", 0, 0], "a": ["two", 0, 0]}}
    return {"class_name": "Functional", "config": {"name": "f", "layers": [start, *layers], **ends}}


def test_keras_3_file(tmp_path: Path) -> None:
    one = keras_3_layer("Dense", "one", "x", units=3, activation="softmax")
    two = keras_3_layer("Multiply", "two", "x", "x", module="keras.src.ops.numpy")
    path = keras_3(tmp_path / "m.keras", keras_3_model(one, two))
    assert keras.detect(path)
    assert not keras_h5.detect(path)
    found = keras.inspect(path, {})
    assert [spec.name for spec in found.inputs] == ["x"]
    assert [(spec.name, spec.shape) for spec in found.outputs] == [("two", (None, 4)), ("one", (None, 3))]
    assert found.activations == {"one": Activation("softmax", "one")}


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (keras_3_layer("Lambda", "two", "x"), "is a Lambda"),
        (keras_3_layer("Dense", "two", "x", module="my.package", units=2), "custom class 'Dense'"),
        (keras_3_layer("TFSMLayer", "two", "x"), "code of another framework"),
        (keras_3_layer("Dense", "two", "x", units=2, activation={
            "module": "my.package", "class_name": "function", "config": "relu"}), "custom function"),
    ],
)  # fmt: skip
def test_keras_3_refusals(tmp_path: Path, bad: dict[str, Any], words: str) -> None:
    one = keras_3_layer("Dense", "one", "x", units=3)
    with pytest.raises(ModelError, match=words):
        keras.inspect(keras_3(tmp_path / "m.keras", keras_3_model(one, bad)), {})


def test_subclassed_keras_3_model_is_refused(tmp_path: Path) -> None:
    path = keras_3(tmp_path / "m.keras", {"class_name": "MyModel", "module": "mine", "config": {}})
    with pytest.raises(ModelError, match="custom class 'MyModel'"):
        keras.inspect(path, {})


def test_keras_zip_without_weights_is_broken(tmp_path: Path) -> None:
    path = keras_3(tmp_path / "m.keras", {"class_name": "Functional", "config": {}})
    cut = tmp_path / "cut.keras"
    cut.write_bytes(path.read_bytes()[:40])
    assert not keras.detect(cut)
    with pytest.raises(ModelError, match="broken Keras file"):
        keras.inspect(cut, {})
