"""TensorFlow names for ONNX inputs and outputs: the same where TensorFlow allows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import onnx

_ILLEGAL = re.compile(r"[^A-Za-z0-9_.]")


@dataclass(frozen=True)
class TensorNames:
    """ONNX name -> TensorFlow op name, in the model's order."""

    inputs: dict[str, str]
    outputs: dict[str, str]


def graph_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the real inputs: old models list initializers among them."""
    constants = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in constants]


def tensor_names(model: onnx.ModelProto) -> TensorNames:
    """Return the names of the function's input and output tensors.

    Characters other than letters, digits, `_` and `.` become `_`; clashes (compared without case, as name
    scopes are) get a number.
    """
    taken: set[str] = {"nodes"}
    inputs = _legal((value.name for value in graph_inputs(model.graph)), taken)
    outputs = _legal((value.name for value in model.graph.output), taken)
    return TensorNames(inputs, outputs)


def _legal(names: Iterable[str], taken: set[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    for name in names:
        base = _ILLEGAL.sub("_", name)
        if not base or base[0] == "_":
            base = f"t{base}"
        legal, number = base, 1
        while legal.lower() in taken:
            legal, number = f"{base}_{number}", number + 1
        taken.add(legal.lower())
        result[name] = legal
    return result
