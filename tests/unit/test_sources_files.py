"""ONNX, TFLite and SavedModel files are read without their frameworks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as fb
from onnx import TensorProto, helper, numpy_helper

from packager.core.errors import ModelError
from packager.core.samples import read_samples, write_sample
from packager.importers import tflite_file
from packager.importers.protobuf import BrokenMessageError, fields, integer, text
from packager.model.tensors import Activation, Quantization
from packager.sources import onnx as onnx_source
from packager.sources import savedmodel, tflite


def onnx_model(*, op: str = "Softmax", domain: str = "", opset: int = 18, batch: Any = "n") -> onnx.ModelProto:
    weights = numpy_helper.from_array(np.eye(3, dtype=np.float32), "w")
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"], name="product"),
        helper.make_node(op, ["h"], ["s"], name="end", domain=domain),
        helper.make_node("Identity", ["s"], ["y"]),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "g", [x], [y], [weights])
    opsets = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def saved(tmp_path: Path, model: onnx.ModelProto, name: str = "m.onnx") -> Path:
    path = tmp_path / name
    path.write_bytes(model.SerializeToString())
    return path


def test_onnx_interface(tmp_path: Path) -> None:
    path = saved(tmp_path, onnx_model(), "blob")
    assert onnx_source.detect(path)
    found = onnx_source.inspect(path, {})
    assert (found.inputs[0].name, found.inputs[0].dtype, found.inputs[0].shape) == ("x", "float32", (None, 3))
    assert (found.outputs[0].name, found.outputs[0].shape) == ("y", (None, 3))
    assert found.activations == {"y": Activation("softmax", "end")}
    assert found.facts["opset"] == 18
    assert found.facts["importer_refuses"] == []
    assert found.ops == {"Identity": 1, "MatMul": 1, "Softmax": 1}


def test_onnx_shapes_that_lie_are_replaced(tmp_path: Path) -> None:
    path = saved(tmp_path, onnx_model(batch=10))
    found = onnx_source.inspect(path, {"x": (2, 3)})
    assert (found.inputs[0].shape, found.outputs[0].shape) == ((2, 3), (2, 3))
    with pytest.raises(ModelError, match="has 3 axes"):
        onnx_source.inspect(path, {"x": (2, 3, 1)})
    write_sample(tmp_path / "feeds", 0, {"x": np.ones((2, 3), np.float32)})
    from packager.sources.onnx.run import run

    run({"shapes": {"x": [2, 3]}}, {"model": path, "feeds": tmp_path / "feeds"}, tmp_path / "out")
    (sample,) = read_samples(tmp_path / "out")
    np.testing.assert_allclose(sample["y"], np.full((2, 3), 1 / 3), rtol=1e-6)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (onnx_model(op="Twist", domain="my.ops"), "node 'end' is my.ops.Twist, of an unknown domain"),
        (onnx_model(opset=8), "is of opset 8"),
    ],
)
def test_onnx_refusals(tmp_path: Path, model: onnx.ModelProto, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        onnx_source.inspect(saved(tmp_path, model), {})


def test_onnx_with_an_uncovered_op_is_read_and_the_op_is_named(tmp_path: Path) -> None:
    found = onnx_source.inspect(saved(tmp_path, onnx_model(op="Twist")), {})
    assert any("Twist" in reason and "end" in reason for reason in found.facts["importer_refuses"])


def test_broken_onnx_files(tmp_path: Path) -> None:
    data = onnx_model().SerializeToString()
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError, match=r"broken ONNX file|not an ONNX model"):
        onnx_source.inspect(cut, {})
    outside = onnx_model()
    outside.graph.initializer[0].data_location = TensorProto.EXTERNAL
    with pytest.raises(ModelError, match="keeps the weight 'w' in another file"):
        onnx_source.inspect(saved(tmp_path, outside), {})


def tensor(name: str, kind: int, shape: list[int], *, buffer: int = 0, scale: float | None = None) -> Any:
    made = fb.TensorT()
    made.name, made.type, made.shape, made.buffer = name, kind, shape, buffer
    if scale is not None:
        made.quantization = fb.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [-3]
    return made


def tflite_model(*, custom: str | None = None, kind: int = fb.TensorType.FLOAT32, scale: float | None = None) -> Any:
    """One softmax (or custom operator), two tensors, and a buffer of 5 bytes."""
    model, graph, op, code = fb.ModelT(), fb.SubGraphT(), fb.OperatorT(), fb.OperatorCodeT()
    code.builtinCode = fb.BuiltinOperator.CUSTOM if custom else fb.BuiltinOperator.SOFTMAX
    code.deprecatedBuiltinCode, code.version, code.customCode = min(code.builtinCode, 127), 1, custom
    options = fb.SoftmaxOptionsT()
    options.beta = 1.0
    op.inputs, op.outputs = [0], [1]
    if not custom:
        op.builtinOptionsType, op.builtinOptions = fb.BuiltinOptions.SoftmaxOptions, options
    graph.tensors = [tensor("in", kind, [1, 4], scale=scale), tensor("out", kind, [1, 4], scale=scale)]
    graph.inputs, graph.outputs, graph.operators = [0], [1], [op]
    model.version, model.subgraphs, model.operatorCodes = 3, [graph], [code]
    filled = fb.BufferT()
    filled.data = np.frombuffer(b"12345", np.uint8)
    model.buffers = [fb.BufferT(), filled]
    return model


def packed(tmp_path: Path, model: Any) -> Path:
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite_file.pack(model))
    return path


def test_tflite_interface(tmp_path: Path) -> None:
    path = packed(tmp_path, tflite_model())
    assert tflite.detect(path)
    found = tflite.inspect(path, {})
    assert [(spec.name, spec.dtype, spec.shape) for spec in found.inputs] == [("in", "float32", (1, 4))]
    assert found.activations == {"out": Activation("softmax", "out")}
    assert found.ops == {"SOFTMAX": 1}
    assert found.facts["precision"] == "float32"


def test_quantised_tflite(tmp_path: Path) -> None:
    found = tflite.inspect(packed(tmp_path, tflite_model(kind=fb.TensorType.INT8, scale=0.5)), {})
    assert found.inputs[0].quantization == Quantization(0.5, -3)
    assert found.facts["precision"] == "int8"


def test_custom_tflite_operators_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="'out' is the custom operator Landmarks2"):
        tflite.inspect(packed(tmp_path, tflite_model(custom="Landmarks2")), {})


def test_broken_tflite(tmp_path: Path) -> None:
    path = packed(tmp_path, tflite_model())
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ModelError, match="broken TFLite file"):
        tflite.inspect(path, {})


def test_packed_buffers_are_aligned(tmp_path: Path) -> None:
    data = packed(tmp_path, tflite_model()).read_bytes()
    assert data.index(b"12345") % 16 == 0


def test_saved_model_that_is_broken_or_empty(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12\xff\xff")
    assert savedmodel.detect(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        savedmodel.inspect(tmp_path, {})
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01\x12\x00")
    with pytest.raises(ModelError, match="no signature"):
        savedmodel.inspect(tmp_path, {})


def test_wire_format() -> None:
    data = memoryview(b"\x08\x96\x01\x12\x03abc\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x25\x00\x00\x00\x00")
    assert [number for number, _ in fields(data)] == [1, 2, 3, 4]
    assert (integer(data, 1), text(data, 2), integer(data, 3)) == (150, "abc", -1)
    for cut in (b"\x08\x96", b"\x12\x09abc", b"\x0b"):
        with pytest.raises(BrokenMessageError):
            list(fields(memoryview(cut)))
