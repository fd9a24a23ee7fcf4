"""Reading and writing by index."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import wide
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import op
from packager.importers.onnx.values import Tensor, static_shape


def wrap(indices: Tensor, size: Any) -> Tensor:
    """Return indices with negative ones counted from the end."""
    if isinstance(indices, np.ndarray) and (isinstance(size, int) or not (indices < 0).any()):
        return np.where(indices < 0, indices + size, indices) if (indices < 0).any() else indices
    return tf.math.floormod(indices, tf.cast(size, indices.dtype))


def axis_size(x: Tensor, axis: int) -> Any:
    """Return the size of an axis: an int where it is fixed."""
    size = static_shape(x)[axis]
    return tf.shape(x)[axis] if size is None else size


@op("Gather")
def gather(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    """Slices of `axis` (0) by index; a single constant index is a plain slice."""
    axis = node.attr("axis", 0) % len(x.shape)
    if isinstance(indices, np.ndarray) and indices.ndim == 0:
        return x[(*(slice(None),) * axis, int(indices))]
    return tf.gather(x, wrap(indices, axis_size(x, axis)), axis=axis)


@op("GatherElements")
def gather_elements(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    """Each output element has its own index along `axis`."""
    return tf.gather_nd(x, coordinates(node, x, indices, node.attr("axis", 0)))


@op("GatherND")
def gather_nd(node: Node, x: Tensor, indices: Tensor) -> Tensor:
    """Slices by index tuples; the first `batch_dims` axes go together."""
    batch = node.attr("batch_dims", 0)
    return tf.gather_nd(x, _wrap_tuples(x, indices, batch), batch_dims=batch)


def coordinates(node: Node, x: Tensor, indices: Tensor, axis: int) -> Tensor:
    """Return the full index tuples (..., rank) of elements whose place along `axis` is `indices`."""
    shape = static_shape(indices)
    if None in shape:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    axis %= len(shape)
    dtype = tf.as_dtype(indices.dtype).as_numpy_dtype
    grid = [place.astype(dtype) for place in np.indices(tuple(size or 0 for size in shape))]
    grid[axis] = wrap(indices, axis_size(x, axis))
    return np.stack(grid, -1) if isinstance(grid[axis], np.ndarray) else tf.stack(grid, -1)


def _wrap_tuples(x: Tensor, indices: Tensor, skip: int) -> Tensor:
    depth = static_shape(indices)[-1]
    if depth is None:
        return indices
    sizes = static_shape(x)[skip : skip + depth]
    if isinstance(indices, np.ndarray) and not (indices < 0).any():
        return indices
    if None in sizes:
        return wrap(indices, tf.shape(x)[skip : skip + depth])
    return wrap(indices, np.array(sizes, np.int64)) if not isinstance(indices, np.ndarray) else indices % sizes


@op("ScatterND")
def scatter_nd(node: Node, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """x with slices replaced (or added to, multiplied, ...) at index tuples."""
    return scatter(node, x, _wrap_tuples(x, indices, 0), updates)


@op("ScatterElements", "Scatter")
def scatter_elements(node: Node, x: Tensor, indices: Tensor, updates: Tensor) -> Tensor:
    """x with single elements replaced (or added to, multiplied, ...) along `axis`."""
    return scatter(node, x, coordinates(node, x, indices, node.attr("axis", 0)), updates)


def scatter(node: Node, x: Tensor, places: Tensor, updates: Tensor) -> Tensor:
    """Write `updates` at index tuples `places`.

    Replacing is done with ScatterNd and a choice, which TensorFlow Lite and Core ML both have. Multiplying
    goes update by update, since TensorFlow has no such scatter.
    """
    reduction = node.attr("reduction", "none")
    x, updates = tf.convert_to_tensor(x), tf.convert_to_tensor(updates)
    if reduction == "add":
        return x + tf.scatter_nd(places, updates, _shape(x, places))
    if reduction in ("max", "min"):
        function: Callable[..., Tensor] = tf.tensor_scatter_nd_max if reduction == "max" else tf.tensor_scatter_nd_min
        return wide(lambda a, b: function(a, places, b), x, updates)
    if reduction == "mul":
        return _scatter_multiply(node, x, places, updates)
    written = tf.scatter_nd(places, tf.ones_like(updates, tf.int32), _shape(x, places))
    if x.dtype == tf.bool:
        numbers = tf.scatter_nd(places, tf.cast(updates, tf.int32), _shape(x, places))
        return tf.where(written > 0, numbers > 0, x)
    once = _first_of_each(places)
    if once is None:
        return tf.tensor_scatter_nd_update(x, places, updates)
    return tf.where(written > 0, tf.scatter_nd(places, updates, _shape(x, places)), x)


def _first_of_each(places: Tensor) -> bool | None:
    """Return True where no place is written twice (or where that is the model's own fault)."""
    if not isinstance(places, np.ndarray):
        return True
    rows = places.reshape(-1, places.shape[-1])
    return True if len(np.unique(rows, axis=0)) == len(rows) else None


def _scatter_multiply(node: Node, x: Tensor, places: Tensor, updates: Tensor) -> Tensor:
    depth = static_shape(places)[-1] or 0
    outer = static_shape(places)[:-1]
    count = int(np.prod([size or 0 for size in outer]))
    if None in outer or count > 256:
        node.refuse("reduction mul with more than 256 updates")
    rows = tf.reshape(places, [count, depth])
    parts = tf.reshape(updates, [count, *static_shape(updates)[len(outer) :]])
    for number in range(count):
        row = rows[number : number + 1]
        x = tf.tensor_scatter_nd_update(x, row, tf.gather_nd(x, row) * parts[number : number + 1])
    return x


def _shape(x: Tensor, places: Tensor) -> Tensor:
    shape = static_shape(x)
    dtype = tf.as_dtype(places.dtype)
    return tf.shape(x, dtype) if None in shape else tf.constant(shape, dtype)


@op("OneHot")
def one_hot(node: Node, indices: Tensor, depth: Tensor, values: Tensor) -> Tensor:
    """values[1] at the index along a new `axis` (-1), values[0] elsewhere; negative indices from the end."""
    count = node.ints(depth, 1)[0]
    if not tf.as_dtype(indices.dtype).is_integer:
        indices = tf.cast(indices, tf.int64)
    indices = tf.cast(indices, tf.int64)
    axis = node.attr("axis", -1)
    rank = len(indices.shape) + 1
    place = axis % rank
    below = tf.less(indices, tf.zeros([], tf.int64))
    shown = tf.expand_dims(tf.where(below, indices + count, indices), place)
    steps = np.arange(count).reshape([-1 if i == place else 1 for i in range(rank)])
    return tf.where(tf.equal(shown, steps), values[1], values[0])


@op("NonZero")
def non_zero(_node: Node, x: Tensor) -> Tensor:
    """Index tuples of the elements that are not 0, one row per axis. The number is free."""
    dtype = tf.as_dtype(x.dtype)
    found = x if dtype == tf.bool else tf.not_equal(x, tf.zeros([], dtype))
    return tf.transpose(tf.where(found))


@op("Compress")
def compress(node: Node, x: Tensor, condition: Tensor) -> Tensor:
    """Slices of `axis` (of the flat tensor) where the condition holds. The number is free."""
    if not node.has("axis"):
        x, axis = tf.reshape(x, [-1]), 0
    else:
        axis = node.attr("axis", 0) % len(x.shape)
    if isinstance(condition, np.ndarray):
        return tf.gather(x, np.flatnonzero(condition).astype(np.int32), axis=axis)
    return tf.gather(x, tf.reshape(tf.where(condition), [-1]), axis=axis)


@op("TensorScatter")
def tensor_scatter(node: Node, cache: Tensor, update: Tensor, indices: Tensor = None) -> Tensor:
    """A key-value cache [B, ..., T, ...] with `update` written from `indices[b]` on; `circular` wraps."""
    rank = len(cache.shape)
    axis = node.attr("axis", -2) % rank
    size, length = static_shape(cache)[axis], static_shape(update)[axis]
    if size is None or length is None or static_shape(cache)[0] is None:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    batch = int(static_shape(cache)[0] or 0)
    start = np.zeros(batch, np.int64) if indices is None else tf.cast(indices, tf.int64)
    offset = np.arange(size)[None, :] - tf.reshape(start, [batch, 1])
    if node.attr("mode", "linear") == "circular":
        offset = tf.math.floormod(offset, size)
    inside = tf.logical_and(offset >= 0, offset < length)
    source = tf.clip_by_value(offset, 0, length - 1)
    moved = tf.gather(tf.convert_to_tensor(update), source, axis=axis, batch_dims=1)
    mask = tf.reshape(inside, [batch, *(size if i == axis else 1 for i in range(1, rank))])
    return tf.where(mask, moved, cache)
