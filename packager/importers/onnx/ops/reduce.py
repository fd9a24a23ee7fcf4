"""Reductions, arg-reductions, cumulative sums, sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import wide
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Tensor, Value, static_shape, to_last

Reducer = Callable[..., Tensor]


def _log_sum_exp(x: Tensor, axis: list[int] | None, keepdims: bool) -> Tensor:
    top = tf.reduce_max(x, axis=axis, keepdims=True)
    top = tf.where(tf.abs(top) < tf.constant(np.inf, x.dtype), top, tf.zeros_like(top))
    total = tf.math.log(tf.reduce_sum(tf.exp(x - top), axis=axis, keepdims=True)) + top
    return total if keepdims else tf.squeeze(total, axis) if axis else tf.reshape(total, [])


def _square_root(x: Tensor) -> Tensor:
    if tf.as_dtype(x.dtype).is_floating:
        return tf.sqrt(x)
    return tf.cast(tf.sqrt(tf.cast(x, tf.float64)), x.dtype)


_REDUCERS: dict[str, Reducer] = {
    "ReduceSum": tf.reduce_sum,
    "ReduceMean": tf.reduce_mean,
    "ReduceMax": tf.reduce_max,
    "ReduceMin": tf.reduce_min,
    "ReduceProd": tf.reduce_prod,
    "ReduceL1": lambda x, a, k: tf.reduce_sum(tf.abs(x), a, k),
    "ReduceL2": lambda x, a, k: _square_root(tf.reduce_sum(tf.square(x), a, k)),
    "ReduceSumSquare": lambda x, a, k: tf.reduce_sum(tf.square(x), a, k),
    "ReduceLogSum": lambda x, a, k: tf.math.log(tf.reduce_sum(x, a, k)),
    "ReduceLogSumExp": _log_sum_exp,
}


@op(*_REDUCERS, layout=Layout.AWARE)
def reduce_axes(node: Node, x: Operand, axes: Any = None) -> Any:
    """One value over `axes` (an attribute in old opsets, then an input; all by default).

    With `noop_with_empty_axes` no axes means none. Bool tensors have only maximum (any) and minimum (all).
    """
    assert x is not None
    rank = len(x.shape)
    wanted = node.attr("axes", []) if axes is None else node.ints(axes, 1)
    if not wanted and node.attr("noop_with_empty_axes", 0):
        return _reduce(node, _plain(x), [], True)
    chosen = sorted({axis % rank for axis in wanted}) if wanted else list(range(rank))
    keep = bool(node.attr("keepdims", 1))
    if isinstance(x, Value) and rank > 2 and x.only_last:
        places = [to_last(rank).index(axis) for axis in chosen]
        left = [to_last(rank).index(axis) for axis in range(rank) if axis not in chosen]
        if keep:
            return Value(last=_reduce(node, x.last(), places, True))
        if left == sorted(left):
            return _reduce(node, x.last(), places, False)
    return _reduce(node, _plain(x), chosen, keep)


def _plain(x: Operand) -> Tensor:
    return x.first() if isinstance(x, Value) else x


def _reduce(node: Node, x: Tensor, axes: list[int], keep: bool) -> Tensor:
    dtype = tf.as_dtype(x.dtype)
    if dtype == tf.bool:
        function = {"ReduceMax": tf.reduce_any, "ReduceMin": tf.reduce_all}.get(node.op_type)
        if function is None:
            node.refuse("tensors of type BOOL")
        return function(x, axes, keep)
    if dtype.is_integer and node.op_type in ("ReduceLogSum", "ReduceLogSumExp"):
        node.refuse("integer tensors")
    return wide(lambda t: _REDUCERS[node.op_type](t, axes, keep), x)


@op("ArgMax", "ArgMin", layout=Layout.AWARE)
def arg_reduce(node: Node, x: Operand) -> Any:
    """Index (int64) of the largest or smallest element along `axis` (0): the first, or the last such one."""
    assert x is not None
    rank = len(x.shape)
    axis = node.attr("axis", 0) % rank
    keep = node.attr("keepdims", 1)
    last = isinstance(x, Value) and rank > 2 and x.only_last and bool(keep or axis == 1)
    tensor = x.last() if isinstance(x, Value) and last else _plain(x)
    axis = to_last(rank).index(axis) if last else axis
    function = tf.argmax if node.op_type == "ArgMax" else tf.argmin
    if node.attr("select_last_index", 0):
        size = static_shape(tensor)[axis]
        if size is None:
            node.refuse("select_last_index needs a fixed size: give the input's shape in the manifest (shapes)")
        index = np.int64(size - 1) - function(tf.reverse(tensor, [axis]), axis)
    else:
        index = function(tensor, axis)
    if not keep:
        return index
    index = tf.expand_dims(index, axis)
    return Value(last=index) if last else index


@op("CumSum", "CumProd")
def cumulate(node: Node, x: Tensor, axis: Tensor) -> Tensor:
    """Running sum or product along `axis`, optionally exclusive and from the end."""
    function = tf.cumsum if node.op_type == "CumSum" else tf.math.cumprod
    place = node.ints(axis, 1)[0]
    exclusive, backwards = bool(node.attr("exclusive", 0)), bool(node.attr("reverse", 0))
    return function(x, axis=place, exclusive=exclusive, reverse=backwards)


@op("TopK")
def top_k(node: Node, x: Tensor, k: Tensor = None) -> tuple[Tensor, Tensor]:
    """The k largest (or smallest) elements along `axis` (-1) and their indices (int64), sorted.

    k is an attribute before opset 10, then an input. Of equal elements the one with the lower index is first.
    """
    count = node.attr("k", 1) if k is None else node.ints(k, 1)[0]
    rank = len(x.shape)
    axis = node.attr("axis", -1) % rank
    order = [*(i for i in range(rank) if i != axis), axis]
    moved = tf.transpose(x, order) if axis != rank - 1 else tf.convert_to_tensor(x)
    if node.attr("largest", 1):
        values, indices = tf.math.top_k(moved, count)
    elif moved.dtype.is_unsigned:
        values, indices = tf.math.top_k(moved.dtype.max - moved, count)
        values = moved.dtype.max - values
    else:
        flipped = -moved if moved.dtype.is_floating else tf.bitwise.invert(moved)
        values, indices = tf.math.top_k(flipped, count)
        values = -values if moved.dtype.is_floating else tf.bitwise.invert(values)
    indices = tf.cast(indices, tf.int64)
    if axis == rank - 1:
        return values, indices
    back = np.argsort(order)
    return tf.transpose(values, back), tf.transpose(indices, back)


@op("Det")
def determinant(_node: Node, x: Tensor) -> Tensor:
    """Determinant of the last two axes."""
    return tf.linalg.det(x)
