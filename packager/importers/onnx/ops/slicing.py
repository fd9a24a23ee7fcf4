"""Cutting tensors apart and putting them together."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Tensor, Value, static_shape


@op("Concat", layout=Layout.ANY)
def concat(node: Node, *tensors: Tensor) -> Tensor:
    """The operands behind each other along `axis`."""
    return tf.concat(tensors, node.axis(node.attr("axis", 1)))


@op("Split", layout=Layout.AWARE)
def split(node: Node, x: Operand, sizes: Any = None) -> tuple[Any, ...]:
    """Parts along `axis`: sizes (attribute before opset 13, then an input), or equal with a smaller last."""
    assert x is not None
    rank = len(x.shape)
    axis = node.attr("axis", 0) % rank
    count = len(node.proto.output)
    total = x.shape[axis]
    if sizes is not None:
        parts = node.ints(sizes, 1)
    elif node.has("split"):
        parts = node.attr("split", [0])
    elif total is None:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    else:
        chunk = -(-int(total) // count)
        parts = [min(chunk, int(total) - chunk * i) for i in range(count)]
    if isinstance(x, Value) and rank > 2 and x.only_last:
        place = rank - 1 if axis == 1 else max(axis - 1, 0)
        return tuple(Value(last=part) for part in tf.split(x.last(), parts, place))
    return tuple(tf.split(x.first() if isinstance(x, Value) else x, parts, axis))


@op("Slice", layout=Layout.ANY)
def slice_attributes(node: Node, x: Tensor) -> Tensor:
    """Before opset 10: starts, ends and axes are attributes."""
    starts, ends = node.attr("starts", [0]), node.attr("ends", [0])
    axes = node.attr("axes", list(range(len(starts))))
    return cut(node, x, starts, ends, axes, [1] * len(starts))


@op("Slice", since=10, layout=Layout.AWARE)
def slice_inputs(node: Node, x: Operand, starts: Any, ends: Any, axes: Any = None, steps: Any = None) -> Any:
    """starts, ends, axes and steps are inputs; starts and ends may be computed."""
    assert x is not None
    node.rank = len(x.shape)
    node.last = isinstance(x, Value) and x.only_last
    tensor = x if not isinstance(x, Value) else x.last() if node.last else x.first()
    count = static_shape(starts.first() if isinstance(starts, Value) else starts)[0]
    if count is None:
        node.refuse("the number of its axes is not fixed")
    where = list(range(count)) if axes is None else node.ints(axes, 3)
    pace = [1] * count if steps is None else node.ints(steps, 4)
    if isinstance(starts, np.ndarray) and isinstance(ends, np.ndarray):
        y = cut(node, tensor, node.ints(starts, 1), node.ints(ends, 2), where, pace)
    else:
        y = _cut_computed(node, tensor, starts, ends, where, pace)
    return Value(last=y) if node.last else y


def cut(node: Node, x: Tensor, starts: list[int], ends: list[int], axes: list[int], steps: list[int]) -> Tensor:
    """Slice with constant bounds, by the rules of Python's slices, which are ONNX's."""
    shape = static_shape(x)
    index: list[slice] = [slice(None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        place = node.axis(axis)
        size = shape[place]
        if size is not None:
            begin, stop, step_ = slice(start, end, step).indices(size)
            index[place] = slice(begin, None if stop < 0 else stop, step_)
        else:
            far = 2**31 - 1
            index[place] = slice(None if abs(start) >= far else start, None if abs(end) >= far else end, step)
    return x[tuple(index)]


def _cut_computed(node: Node, x: Tensor, starts: Any, ends: Any, axes: list[int], steps: list[int]) -> Tensor:
    """Slice with computed bounds: TensorFlow clamps them as ONNX does for positive steps."""
    if any(step < 0 for step in steps):
        node.refuse("computed bounds with a negative step")
    rank, free = len(x.shape), (1 << len(x.shape)) - 1
    begin, end, stride = [tf.constant(0)] * rank, [tf.constant(0)] * rank, [1] * rank
    low, high = (
        tf.cast(
            tf.clip_by_value(tf.cast(v.first() if isinstance(v, Value) else v, tf.int64), -(2**31), 2**31 - 1), tf.int32
        )
        for v in (starts, ends)
    )
    for number, (axis, step) in enumerate(zip(axes, steps, strict=True)):
        place = node.axis(axis)
        begin[place], end[place], stride[place] = low[number], high[number], step
        free &= ~(1 << place)
    return tf.strided_slice(x, tf.stack(begin), tf.stack(end), stride, begin_mask=free, end_mask=free)


@op("Pad", layout=Layout.ANY)
def pad_attributes(node: Node, x: Tensor) -> Tensor:
    """Before opset 11: pads and value are attributes."""
    pads = node.attr("pads", node.attr("paddings", [0]))
    rank = len(x.shape)
    value = np.asarray(node.attr("value", 0.0), tf.as_dtype(x.dtype).as_numpy_dtype)
    return pad_by_mode(node, x, _pairs(node, pads, list(range(rank)), rank), value)


@op("Pad", since=11, layout=Layout.AWARE)
def pad(node: Node, x: Operand, pads: Any, value: Any = None, axes: Any = None) -> Any:
    """Values before and after each axis: constant, edge, reflect or wrap; negative pads cut."""
    assert x is not None
    rank = node.rank = len(x.shape)
    node.last = isinstance(x, Value) and x.only_last
    tensor = x if not isinstance(x, Value) else x.last() if node.last else x.first()
    where = list(range(rank)) if axes is None else [axis % rank for axis in node.ints(axes, 3)]
    amounts = _pairs(node, node.ints(pads, 1), where, rank)
    if value is None:
        fill: Tensor = np.zeros((), tf.as_dtype(tensor.dtype).as_numpy_dtype)
    else:
        fill = tf.reshape(value.first(), []) if isinstance(value, Value) else value.reshape(())
    y = pad_by_mode(node, tensor, amounts, fill)
    return Value(last=y) if node.last else y


def _pairs(node: Node, pads: list[int], axes: list[int], rank: int) -> list[tuple[int, int]]:
    amounts = [(0, 0)] * rank
    for number, axis in enumerate(axes):
        amounts[node.axis(axis)] = (pads[number], pads[number + len(axes)])
    return amounts


def pad_by_mode(node: Node, x: Tensor, amounts: list[tuple[int, int]], value: Tensor) -> Tensor:
    """Pad each axis by (before, after); negative amounts cut first."""
    if any(amount < 0 for pair in amounts for amount in pair):
        x = x[tuple(slice(max(-a, 0), -max(-b, 0) or None) for a, b in amounts)]
        amounts = [(max(a, 0), max(b, 0)) for a, b in amounts]
    if not any(map(any, amounts)):
        return tf.convert_to_tensor(x)
    mode = node.attr("mode", "constant")
    if mode == "constant":
        zero = isinstance(value, np.ndarray) and not value.any()
        return tf.pad(x, amounts) if zero else tf.pad(x, amounts, constant_values=value)
    shape = static_shape(x)
    if mode == "reflect" and all(s is not None and max(p) < s for s, p in zip(shape, amounts, strict=True)):
        return tf.pad(x, amounts, "REFLECT")
    for axis, (before, after) in enumerate(amounts):
        if before or after:
            size = shape[axis]
            if size is None:
                node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
            x = tf.gather(x, _sources(mode, size, before, after), axis=axis)
    return x


def _sources(mode: str, size: int, before: int, after: int) -> Any:
    """Return which element of an axis stands at each place of the padded axis."""
    places = np.arange(-before, size + after)
    if mode == "edge":
        return np.clip(places, 0, size - 1).astype(np.int32)
    if mode == "wrap":
        return (places % size).astype(np.int32)
    period = max(2 * size - 2, 1)
    folded = places % period
    return np.minimum(folded, period - folded).astype(np.int32) if size > 1 else np.zeros_like(places)


@op("CenterCropPad")
def center_crop_pad(node: Node, x: Tensor, shape: Tensor) -> Tensor:
    """Cut or pad with zeros around the centre to the given sizes of `axes`."""
    sizes = static_shape(x)
    axes = [axis % len(sizes) for axis in node.attr("axes", list(range(len(sizes))))]
    amounts = [(0, 0)] * len(sizes)
    for axis, target in zip(axes, node.ints(shape, 1), strict=True):
        size = sizes[axis]
        if size is None:
            node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
        extra = target - size
        before = extra // 2 if extra >= 0 else -(-extra // 2)
        amounts[axis] = (before, extra - before)
    return pad_by_mode(node, x, amounts, np.zeros((), tf.as_dtype(x.dtype).as_numpy_dtype))


@op("Trilu")
def trilu(node: Node, x: Tensor, k: Tensor = None) -> Tensor:
    """Upper or lower triangle of the last two axes, from diagonal `k`; zeros elsewhere."""
    rows, columns = static_shape(x)[-2:]
    if rows is None or columns is None:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    diagonal = 0 if k is None else node.ints(k, 1)[0]
    ones = np.ones((rows, columns), bool)
    mask = np.triu(ones, diagonal) if node.attr("upper", 1) else np.tril(ones, diagonal)
    return tf.where(mask, x, tf.zeros([], x.dtype))


@op("ReverseSequence")
def reverse_sequence(node: Node, x: Tensor, lengths: Tensor) -> Tensor:
    """The first `lengths[b]` elements of the time axis reversed."""
    return tf.reverse_sequence(x, lengths, seq_axis=node.attr("time_axis", 0), batch_axis=node.attr("batch_axis", 1))
