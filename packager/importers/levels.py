"""ONNX graph with QuantizeLinear and DequantizeLinear -> the same arithmetic without integer tensors.

Core ML has no 8-bit tensors before iOS 26: a quantised value is carried as a float that holds a whole number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


def carry_levels_as_floats(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with every per-tensor QuantizeLinear as clip(round(x / scale) + zero point) and every
    DequantizeLinear of a computed tensor as (x - zero point) * scale, in float32.

    Constants stay quantised; inputs and outputs keep their types.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    given = {value.name for value in graph.input if value.name not in constants}
    ends = {value.name for value in graph.output}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        scale = constants.get(node.input[1]) if len(node.input) > 1 else None
        if scale is None or scale.size != 1 or node.op_type not in ("QuantizeLinear", "DequantizeLinear"):
            nodes.append(node)
            continue
        zero = constants[node.input[2]] if len(node.input) > 2 and node.input[2] else np.uint8(0)
        if node.op_type == "QuantizeLinear":
            nodes += _quantize(graph, node, float(scale.reshape(())), zero.reshape(()), cast=node.output[0] in ends)
        elif node.input[0] not in constants:
            nodes += _dequantize(graph, node, float(scale.reshape(())), zero, cast=node.input[0] in given)
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    return result


def _constant(graph: onnx.GraphProto, name: str, value: float) -> str:
    graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
    return name


def _quantize(
    graph: onnx.GraphProto, node: onnx.NodeProto, scale: float, zero: np.integer[Any], *, cast: bool
) -> Iterator[onnx.NodeProto]:
    out, limits = node.output[0], np.iinfo(zero.dtype)
    step, offset = _constant(graph, f"{out}/scale", scale), _constant(graph, f"{out}/zero", float(zero))
    low, high = _constant(graph, f"{out}/low", limits.min), _constant(graph, f"{out}/high", limits.max)
    yield helper.make_node("Div", [node.input[0], step], [f"{out}/divided"])
    yield helper.make_node("Round", [f"{out}/divided"], [f"{out}/rounded"])
    yield helper.make_node("Add", [f"{out}/rounded", offset], [f"{out}/shifted"])
    yield helper.make_node("Clip", [f"{out}/shifted", low, high], [f"{out}/levels" if cast else out])
    if cast:
        yield helper.make_node("Cast", [f"{out}/levels"], [out], to=helper.np_dtype_to_tensor_dtype(zero.dtype))


def _dequantize(
    graph: onnx.GraphProto, node: onnx.NodeProto, scale: float, zero: np.integer[Any], *, cast: bool
) -> Iterator[onnx.NodeProto]:
    out, levels = node.output[0], node.input[0]
    step, offset = _constant(graph, f"{out}/scale", scale), _constant(graph, f"{out}/zero", float(zero.reshape(())))
    if cast:
        levels = f"{out}/levels"
        yield helper.make_node("Cast", [node.input[0]], [levels], to=onnx.TensorProto.FLOAT)
    yield helper.make_node("Sub", [levels, offset], [f"{out}/centred"])
    yield helper.make_node("Mul", [f"{out}/centred", step], [out])
