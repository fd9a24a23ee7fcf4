"""What the tests of the ONNX importer share: one-node models and the comparison with onnxruntime."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Arrays = dict[str, np.ndarray]


def model_of(
    nodes: list[onnx.NodeProto], inputs: Arrays, outputs: list[str], constants: Arrays | None = None, opset: int = 18
) -> onnx.ModelProto:
    """A model whose inputs have the shapes and dtypes of the given arrays."""
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in inputs.items()
    ]
    results = [helper.make_empty_tensor_value_info(name) for name in outputs]
    graph = helper.make_graph(
        nodes,
        "test",
        infos,
        results,
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_operatorsetid("", opset)])
    model.ir_version = min(model.ir_version, 10)
    return onnx.shape_inference.infer_shapes(model)


def with_shapes(model: onnx.ModelProto, shapes: dict[str, tuple[int, ...]]) -> onnx.ModelProto:
    """The same model with other input shapes declared, and no initializers among the inputs."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    constants = {tensor.name for tensor in result.graph.initializer}
    inputs = [value for value in result.graph.input if value.name not in constants]
    del result.graph.input[:]
    result.graph.input.extend(inputs)
    for value in result.graph.input:
        if value.name in shapes:
            value.type.tensor_type.ClearField("shape")
            for size in shapes[value.name]:
                value.type.tensor_type.shape.dim.add().dim_value = size
    for value in result.graph.output:
        value.type.tensor_type.ClearField("shape")
    del result.graph.value_info[:]
    return result


def by_onnxruntime(model: onnx.ModelProto, feeds: Arrays) -> list[np.ndarray]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)


def by_importer(model: onnx.ModelProto, feeds: Arrays, shapes: Any = None) -> list[np.ndarray]:
    import tensorflow as tf

    from packager.importers.onnx import to_tf

    function = to_tf(model, shapes)
    return [tensor.numpy() for tensor in function(*(tf.constant(array) for array in feeds.values()))]


def by_tflite(
    model: onnx.ModelProto, feeds: Arrays, shapes: Any = None
) -> tuple[list[np.ndarray], Counter[str], list[str]]:
    """Outputs, op counts and output names of the float32 TFLite file."""
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    from packager.importers.onnx import tensor_names, to_tf

    names = tensor_names(model)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([to_tf(model, shapes)])
    interpreter = Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        onnx_name = next(name for name, own in names.inputs.items() if own == detail["name"])
        interpreter.set_tensor(detail["index"], feeds[onnx_name])
    interpreter.invoke()
    details = interpreter.get_output_details()
    ops = Counter(entry["op_name"] for entry in interpreter._get_ops_details())
    ops.pop("DELEGATE", None)
    return [interpreter.get_tensor(d["index"]) for d in details], ops, [d["name"] for d in details]


def error(got: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference relative to the expected range; infinite where shapes or finiteness differ."""
    if got.shape != expected.shape or not np.isfinite(got).all():
        return float("inf")
    if not got.size:
        return 0.0
    difference = np.abs(got.astype(np.float64) - expected.astype(np.float64))
    return float(difference.max() / max(float(np.abs(expected).max()), 1e-6))


def assert_equal_to_onnxruntime(model: onnx.ModelProto, feeds: Arrays, tolerance: float = 1e-5) -> None:
    expected = by_onnxruntime(model, feeds)
    got = by_importer(model, feeds)
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        assert error(one, other) <= tolerance
