"""Constants, shapes, and ops that only rearrange axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf
from onnx import numpy_helper

from packager.importers.onnx.dtypes import tf_dtype
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import (
    Array,
    Operand,
    Shape,
    Tensor,
    Value,
    permute,
    static_shape,
    to_first,
    to_last,
)


@op("Constant")
def constant(node: Node) -> Array:
    """The value in one of the attributes: a tensor, float32 or int64."""
    for name in ("value_float", "value_floats"):
        if node.has(name):
            return np.asarray(node.attr(name, 0.0), np.float32)
    for name in ("value_int", "value_ints"):
        if node.has(name):
            return np.asarray(node.attr(name, 0), np.int64)
    return numpy_helper.to_array(node.attr("value", None))


@op("ConstantOfShape")
def constant_of_shape(node: Node, shape: Tensor) -> Tensor:
    """A tensor of the given shape, filled with `value` (float32 0)."""
    value = np.zeros(1, np.float32)
    if node.has("value"):
        value = numpy_helper.to_array(node.attr("value", None))
    return np.full(shape, value[0]) if isinstance(shape, np.ndarray) else tf.fill(shape, value[0])


@op("Shape", layout=Layout.AWARE)
def shape_of(node: Node, x: Operand) -> Tensor:
    """The sizes from axis `start` to `end` as int64; constant where they are fixed."""
    assert x is not None
    rank = len(x.shape)
    wanted = range(*slice(node.attr("start", 0), node.attr("end", rank), 1).indices(rank))
    sizes = [x.shape[axis] for axis in wanted]
    if None not in sizes or not isinstance(x, Value):
        return np.array(sizes, np.int64)
    result = Value(first=tf.shape(x.first(), tf.int64)[wanted.start : wanted.stop])
    result.known = np.array(sizes, object)
    return result


@op("Size", layout=Layout.AWARE)
def size_of(_node: Node, x: Operand) -> Tensor:
    """The number of elements as int64."""
    assert x is not None
    if None not in x.shape or not isinstance(x, Value):
        return np.array(count(x.shape), np.int64)
    return tf.size(x.first(), tf.int64)


@op("Reshape", layout=Layout.AWARE)
def reshape(node: Node, x: Operand, shape: Any = None) -> Any:
    """Another shape: -1 is computed, 0 copies the size (unless `allowzero`).

    A channels-last tensor stays so where the new shape keeps N and C and only regroups the rest.
    """
    assert x is not None
    if shape is None:
        shape = np.array(node.attr("shape", [0]), np.int64)
    if isinstance(shape, Value):
        elements = node.constant(shape, 1).tolist() if shape.known is None else shape.known.tolist()
        if elements.count(None) > 1 or -1 in elements:
            return tf.reshape(_tensor(x), shape.first())
        shape = [-1 if size is None else size for size in elements]
    sizes = [int(size) for size in shape]
    if not node.attr("allowzero", 0):
        sizes, free = _copied(x, sizes)
        if sizes.count(-1) > 1:
            dynamic = tf.shape(_tensor(x))
            return tf.reshape(_tensor(x), [dynamic[i] if i in free else size for i, size in enumerate(sizes)])
    elif 0 in sizes and -1 in sizes:
        node.refuse("allowzero together with -1 in one shape")
    if isinstance(x, Value) and x.has_last and (last := _regroup(x, sizes)) is not None:
        return Value(last=last)
    return tf.reshape(_tensor(x), sizes)


def _copied(x: Operand, sizes: list[int]) -> tuple[list[int], list[int]]:
    """Return the sizes with each 0 copied from x (a free one as -1), and which of them are free copies.

    Where the batch is copied and another size is computed, that size is fixed by the others.
    """
    assert x is not None
    have = x.shape
    free = [axis for axis, size in enumerate(sizes) if size == 0 and have[axis] is None]
    full = [(-1 if (old := have[axis]) is None else int(old)) if size == 0 else size for axis, size in enumerate(sizes)]
    if len(free) == 1 and have.count(None) == 1 and full.count(-1) == 2:
        others = math.prod(size for size in full if size != -1)
        computed = next(axis for axis, size in enumerate(full) if size == -1 and axis not in free)
        full[computed] = math.prod(size for size in have if size is not None) // max(others, 1)
    return full, free


def count(shape: Shape) -> int:
    """Return the number of elements of a fixed shape."""
    return math.prod(size or 0 for size in shape)


def _tensor(x: Operand) -> Tensor:
    return x.first() if isinstance(x, Value) else x


def _regroup(x: Value, sizes: list[int]) -> Tensor:
    """Return `x` channels-last in the new shape, or None where N and C do not stay the first axes."""
    known = [size for size in x.shape[1:] if size is not None]
    if len(sizes) < 3 or x.rank < 3 or len(known) < x.rank - 1:
        return None
    rest = int(np.prod(known[1:]))
    inner = sizes[2:]
    if -1 in inner:
        others = int(np.prod([size for size in inner if size != -1]))
        if inner.count(-1) > 1 or others == 0 or rest % others:
            return None
        inner = [rest // others if size == -1 else size for size in inner]
    batch = x.shape[0] if x.shape[0] is not None else -1
    keeps = sizes[0] in (batch, -1) and sizes[1] == known[0] and int(np.prod(inner)) == rest
    return tf.reshape(x.last(), [batch, *inner, known[0]]) if keeps else None


@op("Flatten")
def flatten(node: Node, x: Tensor) -> Tensor:
    """Two axes: those before `axis` (1), and the rest."""
    shape = static_shape(x)
    axis = node.attr("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    head, tail = shape[:axis], shape[axis:]
    if None not in tail:
        return tf.reshape(x, [-1 if None in head else count(head), count(tail)])
    if None in head:
        node.refuse("free sizes on both sides of its axis: give the input's shape in the manifest (shapes)")
    return tf.reshape(x, [count(head), -1])


def reshape_to(x: Tensor, shape: list[int | None], free: list[int]) -> Tensor:
    """Reshape to `shape`; `free` names the axis of `x` that each None is, in order."""
    if shape.count(None) <= 1:
        return tf.reshape(x, [-1 if size is None else size for size in shape])
    dynamic, left = tf.shape(x), iter(free)
    return tf.reshape(x, [dynamic[next(left)] if size is None else size for size in shape])


@op("Squeeze")
def squeeze(node: Node, x: Tensor, axes: Tensor = None) -> Tensor:
    """Without the axes (attribute before opset 13, then an input) of size 1, by default all of them."""
    shape = static_shape(x)
    if axes is not None:
        gone = {axis % len(shape) for axis in node.ints(axes, 1)}
    else:
        gone = {int(axis) % len(shape) for axis in node.attr("axes", [0][:0])}
        gone = gone if node.has("axes") else {axis for axis, size in enumerate(shape) if size == 1}
    kept = [axis for axis in range(len(shape)) if axis not in gone]
    return reshape_to(x, [shape[axis] for axis in kept], [axis for axis in kept if shape[axis] is None])


@op("Unsqueeze")
def unsqueeze(node: Node, x: Tensor, axes: Tensor = None) -> Tensor:
    """With new axes (attribute before opset 13, then an input) of size 1."""
    new = node.attr("axes", [0]) if axes is None else node.ints(axes, 1)
    shape = list(static_shape(x))
    free = [axis for axis, size in enumerate(shape) if size is None]
    for axis in sorted(axis % (len(shape) + len(new)) for axis in new):
        shape.insert(axis, 1)
    return reshape_to(x, shape, free)


@op("Transpose", layout=Layout.AWARE)
def transpose(node: Node, x: Operand) -> Any:
    """Axes in the order `perm` (reversed). From a channels-last tensor it may cost nothing."""
    assert x is not None
    rank = len(x.shape)
    perm = node.attr("perm", list(range(rank))[::-1])
    if not isinstance(x, Value):
        return np.transpose(x, perm)
    if x.has_last:
        stored = [to_last(rank).index(axis) for axis in perm]
        if stored == sorted(stored) or not x.has_first:
            return permute(x.last(), stored)
    if rank > 2 and perm == to_first(rank):
        return Value(last=x.first())
    return permute(x.first(), perm)


@op("Expand")
def expand(_node: Node, x: Tensor, shape: Tensor) -> Tensor:
    """Broadcast in both directions: an axis is the larger of the two sizes."""
    if isinstance(shape, np.ndarray) and None not in static_shape(x):
        fixed = tuple(size or 0 for size in static_shape(x))
        sizes = np.broadcast_shapes(fixed, tuple(int(size) for size in shape))
        return tf.broadcast_to(x, sizes) if tuple(sizes) != static_shape(x) else x
    if isinstance(shape, np.ndarray) and len(shape) <= len(x.shape) and np.all(shape == 1):
        return x
    return tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), tf.cast(shape, tf.int32)))


@op("Tile")
def tile(_node: Node, x: Tensor, repeats: Tensor) -> Tensor:
    """Repeated along each axis."""
    return tf.tile(x, repeats)


@op("Range")
def sequence(_node: Node, start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """start, start + delta, ... below limit."""
    return tf.range(tf.reshape(start, []), tf.reshape(limit, []), tf.reshape(delta, []))


@op("EyeLike")
def eye_like(node: Node, x: Tensor) -> Tensor:
    """Ones on a diagonal, of the operand's shape."""
    shape = static_shape(x)
    if None in shape:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    dtype = tf_dtype(node, node.attr("dtype", node.builder.onnx_type(x))).as_numpy_dtype
    return np.eye(int(shape[0] or 0), int(shape[1] or 0), node.attr("k", 0)).astype(dtype)


@op("DepthToSpace", layout=Layout.AWARE)
def depth_to_space(node: Node, x: Value) -> Value:
    """Blocks of channels become pixels; order DCR (depth, column, row) or CRD."""
    block, mode = node.attr("blocksize", 1), node.attr("mode", "DCR")
    channels = node.sizes(x, [1])[0]
    y = x.last()
    if mode == "CRD":
        depth = channels // block**2
        order = np.arange(channels).reshape(depth, block, block).transpose(1, 2, 0).ravel()
        y = tf.gather(y, order.astype(np.int32), axis=-1)
    return Value(last=tf.nn.depth_to_space(y, block))


@op("SpaceToDepth", layout=Layout.AWARE)
def space_to_depth(node: Node, x: Value) -> Value:
    """Blocks of pixels become channels; order DCR (row and column before channel) or CRD."""
    block = node.attr("blocksize", 1)
    y = tf.nn.space_to_depth(x.last(), block)
    if node.attr("mode", "DCR") == "CRD":
        depth = node.sizes(x, [1])[0]
        order = np.arange(depth * block**2).reshape(block, block, depth).transpose(2, 0, 1).ravel()
        y = tf.gather(y, order.astype(np.int32), axis=-1)
    return Value(last=y)
