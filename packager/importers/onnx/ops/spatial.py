"""Sampling at computed places, overlapping patches, region pooling."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import tf_dtype
from packager.importers.onnx.node import Node
from packager.importers.onnx.ops.conv import as_value
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Tensor, Value, static_shape


@op("GridSample", layout=Layout.AWARE)
def grid_sample(node: Node, x: Operand, grid: Operand) -> Value:
    """x sampled at places -1..1 per axis. x [N, C, ...], grid [N, ..., axes, the last axis first]."""
    value, where = as_value(x), as_value(grid).first()
    sizes = node.sizes(value, range(2, value.rank))
    mode = {"bilinear": "linear", "bicubic": "cubic"}.get(node.attr("mode", "linear"), node.attr("mode", "linear"))
    corners = bool(node.attr("align_corners", 0))
    places = []
    for axis, size in enumerate(sizes):
        unit = where[..., len(sizes) - 1 - axis]
        half = (size - 1) / 2 if corners else size / 2
        places.append((unit + 1) * half if corners else (unit + 1) * half - 0.5)
    padding = node.attr("padding_mode", "zeros")
    if mode != "cubic":
        places = [_into(p, s, padding, corners) for p, s in zip(places, sizes, strict=True)]
    return Value(last=_sample(value.last(), places, sizes, mode, padding, corners))


def _sample(x: Tensor, places: list[Tensor], sizes: list[int], mode: str, padding: str, corners: bool) -> Tensor:
    """Weighted sum of the neighbours of each place, one gather per neighbour."""
    if mode == "nearest":
        return _pick(x, [tf.round(p) for p in places], sizes, padding, corners)
    bases = [tf.floor(p) for p in places]
    parts = [p - b for p, b in zip(places, bases, strict=True)]
    offsets = (0, 1) if mode == "linear" else (-1, 0, 1, 2)
    tables = [_linear(part) if mode == "linear" else _cubic(part) for part in parts]
    total = None
    for chosen in itertools.product(range(len(offsets)), repeat=len(places)):
        corner = [b + float(offsets[k]) for b, k in zip(bases, chosen, strict=True)]
        weight = tables[0][chosen[0]]
        for table, k in zip(tables[1:], chosen[1:], strict=True):
            weight = weight * table[k]
        term = _pick(x, corner, sizes, padding, corners) * tf.expand_dims(weight, -1)
        total = term if total is None else total + term
    return total


def _linear(part: Tensor) -> list[Tensor]:
    return [1 - part, part]


def _cubic(part: Tensor) -> list[Tensor]:
    """Keys' kernel with a = -0.75 at the four neighbours."""
    a = -0.75

    def near(x: Tensor) -> Tensor:
        return ((a + 2) * x - (a + 3)) * x * x + 1

    def far(x: Tensor) -> Tensor:
        return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a

    return [far(part + 1), near(part), near(1 - part), far(2 - part)]


def _into(place: Tensor, size: int, padding: str, corners: bool) -> Tensor:
    """Clip or reflect places into the tensor; zeros leaves them."""
    if padding == "border":
        return tf.clip_by_value(place, 0.0, float(size - 1))
    if padding == "reflection":
        low, high = (0.0, float(size - 1)) if corners else (-0.5, size - 0.5)
        if high == low:
            return tf.zeros_like(place)
        span = high - low
        offset = tf.math.floormod(tf.abs(place - low), 2 * span)
        return tf.clip_by_value(tf.minimum(offset, 2 * span - offset) + low, 0.0, float(size - 1))
    return place


def _pick(x: Tensor, places: list[Tensor], sizes: list[int], padding: str, corners: bool) -> Tensor:
    """Return x [N, ..., C] at whole places; 0 outside where the padding is zeros."""
    inside = None
    indices = []
    for place, size in zip(places, sizes, strict=True):
        moved = _into(place, size, padding, corners)
        if padding == "zeros":
            good = tf.logical_and(moved >= 0, moved <= size - 1)
            inside = good if inside is None else tf.logical_and(inside, good)
        indices.append(tf.cast(tf.clip_by_value(tf.round(moved), 0.0, float(size - 1)), tf.int32))
    found = tf.gather_nd(x, tf.stack(indices, -1), batch_dims=1)
    return found if inside is None else found * tf.cast(tf.expand_dims(inside, -1), found.dtype)


@op("Col2Im")
def col2im(node: Node, x: Tensor, image: Tensor, block: Tensor) -> Tensor:
    """Patches [N, C * block, places] summed where they overlap -> [N, C, image]."""
    sizes, kernel = node.ints(image, 1), node.ints(block, 2)
    rank = len(sizes)
    strides, dilations = node.attr("strides", [1] * rank), node.attr("dilations", [1] * rank)
    pads = node.attr("pads", [0] * 2 * rank)
    counts = [
        (s + pads[i] + pads[i + rank] - (k - 1) * d - 1) // t + 1
        for i, (s, k, d, t) in enumerate(zip(sizes, kernel, dilations, strides, strict=True))
    ]
    grids = [
        np.arange(k)[:, None] * d + np.arange(c)[None, :] * t - pads[i]
        for i, (k, d, c, t) in enumerate(zip(kernel, dilations, counts, strides, strict=True))
    ]
    flat, inside = _flat_places(grids, sizes)
    total = int(np.prod(sizes))
    table = np.zeros((flat.size, total), tf.as_dtype(x.dtype).as_numpy_dtype)
    table[np.flatnonzero(inside), flat[inside]] = 1
    channels = int(static_shape(x)[1] or 0) // int(np.prod(kernel))
    return tf.reshape(tf.matmul(tf.reshape(x, [-1, channels, flat.size]), table), [-1, channels, *sizes])


def _flat_places(grids: list[Any], sizes: list[int]) -> tuple[Any, Any]:
    """Return the flat image index and validity of each (kernel place, patch), kernel places first."""
    rank = len(sizes)
    flat: Any = 0
    inside: Any = True
    for axis, (grid, size) in enumerate(zip(grids, sizes, strict=True)):
        shape = [1] * 2 * rank
        shape[axis], shape[rank + axis] = grid.shape
        spread = grid.reshape(shape)
        flat = flat * size + spread
        inside = inside & (spread >= 0) & (spread < size)
    full = np.broadcast_shapes(np.shape(flat), np.shape(inside))
    return np.broadcast_to(flat, full).ravel(), np.broadcast_to(inside, full).ravel()


@op("BitCast")
def bit_cast(node: Node, x: Tensor) -> Tensor:
    """The same bits in another type of the same size."""
    if tf.as_dtype(x.dtype) == tf.bool:
        x = tf.cast(x, tf.uint8)
    return tf.bitcast(x, tf_dtype(node, node.attr("to", 0)))
