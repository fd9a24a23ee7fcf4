"""Weights of a TFLite graph, and how much of its values is alive at once."""

from __future__ import annotations

import math
from typing import Any

from packager.importers import tflite_file
from packager.importers.liveness import Operation, elements, facts, peak

_IN_PLACE = {"ADD", "MUL", "SUB", "DIV", "RELU", "RELU6", "LOGISTIC", "TANH", "RESHAPE", "SQUEEZE", "EXPAND_DIMS"}


def facts_of(model: Any, file_bytes: int) -> dict[str, Any]:
    """Values of the weights, bytes of the file, and the facts of the most values alive at once (main graph)."""
    graph = model.subgraphs[0]
    names = [str(index) for index in range(len(graph.tensors))]
    held = {name for name, tensor in zip(names, graph.tensors, strict=True) if _is_constant(model, tensor)}
    weights = sum(math.prod(int(s) for s in graph.tensors[int(name)].shape) for name in held if _shaped(graph, name))
    sizes = {
        name: elements(tflite_file.shape(tensor))
        for name, tensor in zip(names, graph.tensors, strict=True)
        if name not in held
    }
    operations = []
    for op in graph.operators or ():
        code = tflite_file.operator_name(model.operatorCodes[op.opcodeIndex])
        outputs = [str(index) for index in op.outputs]
        # Weights in half precision become floats by an operator: they are weights still.
        if code == "DEQUANTIZE" and all(str(index) in held for index in op.inputs):
            held |= set(outputs)
            for name in outputs:
                sizes.pop(name, None)
            continue
        inputs = [str(index) for index in op.inputs if index >= 0 and str(index) not in held]
        label = tflite_file.tensor_name(graph.tensors[op.outputs[0]]) if len(op.outputs) else code
        operations.append(Operation(label, inputs, outputs, code in _IN_PLACE))
    found = peak(operations, sizes, [str(i) for i in graph.inputs], [str(i) for i in graph.outputs])
    return {"parameters": weights, "file_bytes": file_bytes, **facts(found)}


def _is_constant(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data
    return data is not None and len(data) > 0


def _shaped(graph: Any, name: str) -> bool:
    return graph.tensors[int(name)].shape is not None
