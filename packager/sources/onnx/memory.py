"""Weights of an ONNX graph, and how much of its values is alive at once."""

from __future__ import annotations

import math
from typing import Any

import onnx

from packager.importers.liveness import Operation, elements, facts, peak
from packager.importers.onnx_file import real_inputs, spec_of

_IN_PLACE = frozenset(
    """
    Abs Add BatchNormalization Cast Ceil Clip Div Dropout Elu Erf Exp Flatten Floor Gelu HardSigmoid HardSwish Identity
    LeakyRelu Log Mul Neg PRelu Relu Reshape Round Selu Sigmoid Softmax Softplus Sqrt Squeeze Sub Tanh Unsqueeze
    """.split()  # noqa: SIM905 - names read better as words
)


def parameters(model: onnx.ModelProto) -> int:
    """Values in all initialisers and constants of the main graph."""
    tensors = [*model.graph.initializer]
    tensors += [
        a.t for node in model.graph.node if node.op_type == "Constant" for a in node.attribute if a.name == "value"
    ]
    return sum(math.prod(tensor.dims) for tensor in tensors)


def live(model: onnx.ModelProto) -> dict[str, Any]:
    """Facts of the most values alive at once; `model` has its shapes inferred."""
    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    declared = [*graph.input, *graph.value_info, *graph.output]
    sizes = {value.name: _size(value) for value in declared if value.name not in constants}
    operations = []
    for node in graph.node:
        if node.op_type == "Constant":
            continue
        outputs = [name for name in node.output if name]
        for name in outputs:
            sizes.setdefault(name, None)
        inputs = [name for name in node.input if name and name not in constants]
        name = node.name or next(iter(outputs), node.op_type)
        operations.append(Operation(name, inputs, outputs, node.op_type in _IN_PLACE))
    given = [value.name for value in real_inputs(graph)]
    return dict(facts(peak(operations, sizes, given, [value.name for value in graph.output])))


def _size(value: onnx.ValueInfoProto) -> int | None:
    if value.type.WhichOneof("value") != "tensor_type" or value.type.tensor_type.elem_type == onnx.TensorProto.STRING:
        return None
    spec, known = spec_of(value)
    return elements(spec.shape) if known else None
