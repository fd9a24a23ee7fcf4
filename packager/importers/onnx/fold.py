"""Constant folding in numpy for the ops that exporters write shape arithmetic with.

An op without a rule here is folded by running its builder function eagerly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from onnx import TensorProto

from packager.importers.onnx.node import Node
from packager.importers.onnx.values import Array, Value

Rule = Callable[..., Any]


def _divide(a: Array, b: Array) -> Array:
    if a.dtype.kind in "iu":
        return np.asarray(np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b)), a.dtype)
    return np.asarray(a / b)


def _modulo(node: Node, a: Array, b: Array) -> Array:
    return np.asarray(np.fmod(a, b) if node.attr("fmod", 0) else np.mod(a, b))


def _squeeze(node: Node, x: Array, axes: Array | None = None) -> Array:
    chosen = node.attr("axes", []) if axes is None else [int(axis) for axis in axes]
    given = axes is not None or node.has("axes")
    return np.squeeze(x, tuple(chosen)) if given else np.squeeze(x)


def _unsqueeze(node: Node, x: Array, axes: Array | None = None) -> Array:
    chosen = node.attr("axes", []) if axes is None else [int(axis) for axis in np.ravel(axes)]
    return np.expand_dims(x, tuple(chosen))


def _slice(
    _node: Node, x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
) -> Array:
    where = range(len(starts)) if axes is None else axes
    pace = [1] * len(starts) if steps is None else steps
    index = [slice(None)] * x.ndim
    for start, end, axis, step in zip(starts, ends, where, pace, strict=True):
        index[int(axis)] = slice(int(start), int(end), int(step))
    return x[tuple(index)]


def _reduce(node: Node, x: Array, axes: Array | None = None) -> Array | None:
    chosen = node.attr("axes", []) if axes is None else [int(axis) for axis in axes]
    if not chosen and node.attr("noop_with_empty_axes", 0):
        return x
    functions: dict[str, Rule] = {"ReduceSum": np.sum, "ReduceProd": np.prod, "ReduceMax": np.max, "ReduceMin": np.min}
    keep = bool(node.attr("keepdims", 1))
    return np.asarray(functions[node.op_type](x, axis=tuple(chosen) or None, keepdims=keep), x.dtype)


def _expand(_node: Node, x: Array, shape: Array) -> Array:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(int(size) for size in shape)))


def _range(_node: Node, start: Array, limit: Array, delta: Array) -> Array:
    return np.arange(start.item(), limit.item(), delta.item()).astype(start.dtype)


def _transpose(node: Node, x: Array) -> Array:
    return np.transpose(x, node.attr("perm", list(range(x.ndim))[::-1]))


_RULES: dict[str, Rule] = {
    "Identity": lambda _, x: x,
    "Add": lambda _, a, b: a + b,
    "Sub": lambda _, a, b: a - b,
    "Mul": lambda _, a, b: a * b,
    "Div": lambda _, a, b: _divide(a, b),
    "Mod": _modulo,
    "Neg": lambda _, x: -x,
    "Floor": lambda _, x: np.floor(x),
    "Ceil": lambda _, x: np.ceil(x),
    "Sqrt": lambda _, x: np.sqrt(x),
    "Equal": lambda _, a, b: a == b,
    "Greater": lambda _, a, b: a > b,
    "Less": lambda _, a, b: a < b,
    "GreaterOrEqual": lambda _, a, b: a >= b,
    "LessOrEqual": lambda _, a, b: a <= b,
    "And": lambda _, a, b: a & b,
    "Or": lambda _, a, b: a | b,
    "Not": lambda _, x: ~x,
    "Where": lambda _, c, a, b: np.where(c, a, b),
    "Concat": lambda node, *xs: np.concatenate(xs, node.attr("axis", 0)),
    "Gather": lambda node, x, i: np.asarray(np.take(x, i, node.attr("axis", 0)), x.dtype),
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Expand": _expand,
    "Range": _range,
    "ReduceSum": _reduce,
    "ReduceProd": _reduce,
    "ReduceMax": _reduce,
    "ReduceMin": _reduce,
}


def fold(node: Node, operands: list[Any]) -> Array | None:
    """Return the node's single output for constant operands, or None where there is no rule here."""
    if node.op_type == "Slice" and node.opset >= 10:
        return _slice(node, *operands)
    rule = _RULES.get(node.op_type)
    if rule is None:
        return None
    with np.errstate(all="ignore"):
        result = rule(node, *operands)
    return None if result is None else np.asarray(result)


_REARRANGING = frozenset({"Identity", "Concat", "Gather", "Slice", "Squeeze", "Unsqueeze"})


def known_elements(node: Node, operands: list[Any]) -> Array | None:
    """Return the elements (None where unknown) of shape arithmetic that only rearranges elements, or None.

    So only the free sizes of a shape are left to the run, and its fixed ones stay constants.
    """
    if not any(isinstance(operand, Value) and operand.known is not None for operand in operands):
        return None
    if node.op_type == "Cast" and node.attr("to", 0) in (TensorProto.INT64, TensorProto.INT32):
        known: Array | None = operands[0].known
        return known
    if node.op_type not in _REARRANGING:
        return None
    parts = [operand.known if isinstance(operand, Value) else operand for operand in operands]
    if any(isinstance(operand, Value) and operand.known is None for operand in operands):
        return None
    if node.op_type == "Concat":
        parts = [np.asarray(part, object) for part in parts]
    result = fold(node, parts)
    return None if result is None else np.asarray(result, object)
