"""Resize and Upsample: sampling places and weights are computed here, in numpy, per axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.ops.conv import as_value
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Array, Operand, Tensor, Value, to_last


@dataclass(frozen=True)
class Axis:
    """One axis to resize: sizes, scale (output / input), and the region of tf_crop_and_resize."""

    size: int
    target: int
    scale: float
    start: float = 0.0
    end: float = 1.0


@op("Upsample")
def upsample_attribute(node: Node, x: Tensor) -> Tensor:
    """Opset 7: the scales are an attribute."""
    return upsample(node, Value(first=x), np.array(node.attr("scales", [1.0]), np.float32))


@op("Upsample", since=9, layout=Layout.AWARE)
def upsample(node: Node, x: Operand, scales: Any) -> Any:
    """Scaled up; places count from the corner (asymmetric)."""
    value = as_value(x)
    return _resize(node, value, _axes(node, value, node.constant(scales, 1), None, None), "asymmetric", "floor")


@op("Resize", since=10, layout=Layout.AWARE)
def resize_10(node: Node, x: Operand, scales: Any) -> Any:
    """Opset 10: as Upsample, also smaller."""
    value = as_value(x)
    return _resize(node, value, _axes(node, value, node.constant(scales, 1), None, None), "asymmetric", "floor")


@op("Resize", since=11, layout=Layout.AWARE)
def resize(node: Node, x: Operand, roi: Any = None, scales: Any = None, sizes: Any = None) -> Any:
    """Nearest, linear or cubic, with all coordinate modes, antialiasing and aspect policies to opset 19."""
    value = as_value(x)
    coordinate = node.attr("coordinate_transformation_mode", "half_pixel")
    region = None
    if coordinate == "tf_crop_and_resize":
        region = node.constant(roi, 1)
    factors = None if scales is None else node.constant(scales, 2)
    wanted = None if sizes is None else node.constant(sizes, 3)
    factors = None if factors is None or factors.size == 0 else factors
    axes = _axes(node, value, factors, wanted, region)
    return _resize(node, value, axes, coordinate, node.attr("nearest_mode", "round_prefer_floor"))


def _axes(node: Node, x: Value, scales: Array | None, sizes: Array | None, region: Array | None) -> dict[int, Axis]:
    """Return the axes that change (or are cut by a region), by ONNX axis."""
    chosen = [axis % x.rank for axis in node.attr("axes", list(range(x.rank)))]
    by_length = node.attr("coordinate_transformation_mode", "") in ("align_corners", "tf_crop_and_resize")
    keep = [axis for i, axis in enumerate(chosen) if not _unchanged(x, axis, i, scales, sizes, region)]
    have = dict(zip(keep, node.sizes(x, keep), strict=True))
    if sizes is not None:
        ratios = {a: int(sizes[i]) / have[a] for i, a in enumerate(chosen) if a in have}
        policy = node.attr("keep_aspect_ratio_policy", "stretch")
        if policy != "stretch" and ratios:
            common = min(ratios.values()) if policy == "not_larger" else max(ratios.values())
            ratios = dict.fromkeys(ratios, common)
            targets = {a: int(np.floor(common * have[a] + 0.5)) for a in have}
        else:
            targets = {a: int(sizes[i]) for i, a in enumerate(chosen) if a in have}
    elif scales is not None:
        ratios = {a: float(scales[i]) for i, a in enumerate(chosen) if a in have}
        if by_length and any(abs(have[a] * ratios[a] - round(have[a] * ratios[a])) > 1e-3 for a in have):
            node.refuse("corners aligned by scales that give no whole size, where runtimes disagree: give sizes")
        targets = {a: int(np.floor(np.float32(have[a]) * np.float32(ratios[a]))) for a in have}
    else:
        node.refuse("neither scales nor sizes are given")
    count = len(chosen)
    return {
        a: Axis(have[a], targets[a], ratios[a])
        if region is None
        else Axis(have[a], targets[a], ratios[a], float(region[i]), float(region[i + count]))
        for i, a in enumerate(chosen)
        if a in have
    }


def _unchanged(
    x: Value, axis: int, number: int, scales: Array | None, sizes: Array | None, region: Array | None
) -> bool:
    if region is not None and (region[number], region[number + len(region) // 2]) != (0, 1):
        return False
    if sizes is not None:
        return bool(sizes[number] == x.shape[axis])
    return scales is not None and bool(scales[number] == 1)


def _resize(node: Node, x: Value, axes: dict[int, Axis], coordinate: str, nearest: str) -> Any:
    mode = node.attr("mode", "nearest")
    last = (x.rank > 2 and x.rank == 4 and set(axes) <= {2, 3}) or x.only_last
    y = x.last() if last else x.first()
    places = {axis: to_last(x.rank).index(axis) if last else axis for axis in axes}
    if mode == "nearest":
        indices = {axis: nearest_indices(one, coordinate, nearest) for axis, one in axes.items()}
        y = _gather(y, {places[a]: i for a, i in indices.items()}, last=last)
    else:
        tables = {axis: weights(node, one, mode, coordinate) for axis, one in axes.items()}
        y = _blend(y, {places[a]: t for a, t in tables.items()}, mode, last=last)
    if coordinate == "tf_crop_and_resize":
        y = _outside(node, y, axes, places)
    return Value(last=y) if last else y


def source_places(axis: Axis, coordinate: str) -> Array:
    """Return where in the input each output element samples, float32 [target].

    Formulas of the ONNX operator specification (Resize, coordinate_transformation_mode), in the float32
    arithmetic of onnxruntime, so that ties of nearest fall alike.
    """
    one, half = np.float32(1), np.float32(0.5)
    out = np.arange(axis.target, dtype=np.float32)
    scale, size, target = np.float32(axis.scale), np.float32(axis.size), np.float32(axis.target)
    if coordinate == "half_pixel" or (coordinate == "pytorch_half_pixel" and axis.target > 1):
        return (out + half) / scale - half
    if coordinate == "half_pixel_symmetric":
        offset = size / np.float32(2) * (one - target / (scale * size))
        return offset + ((out + half) / scale - half)
    if coordinate == "tf_half_pixel_for_nn":
        return (out + half) / scale
    if coordinate == "pytorch_half_pixel":
        return out * np.float32(0)
    if coordinate == "align_corners":
        return out * (size - one) / (target - one) if axis.target > 1 else out * np.float32(0)
    if coordinate == "tf_crop_and_resize":
        start, end = np.float32(axis.start), np.float32(axis.end)
        if axis.target > 1:
            return start * (size - one) + out * (end - start) * (size - one) / (target - one)
        return half * (start + end) * (size - one) + out
    return out / scale


def nearest_indices(axis: Axis, coordinate: str, nearest: str) -> Array:
    """Return which input element each output element copies, int32 [target]."""
    place = source_places(axis, coordinate)
    if nearest == "floor":
        chosen = np.floor(place)
    elif nearest == "ceil":
        chosen = np.ceil(place)
    elif nearest == "round_prefer_ceil":
        chosen = np.floor(place + np.float32(0.5))
    else:
        chosen = np.ceil(place - np.float32(0.5))
    return np.clip(chosen, 0, axis.size - 1).astype(np.int32)


def _gather(y: Tensor, indices: dict[int, Array], *, last: bool) -> Tensor:
    """Copy elements: with TensorFlow's resize op where one of its modes has the same indices."""
    if last and len(y.shape) == 4 and set(indices) <= {1, 2} and None not in y.shape[1:3]:
        sizes = [int(size) for size in y.shape[1:3]]
        both = [indices.get(axis, np.arange(sizes[axis - 1])) for axis in (1, 2)]
        targets = [len(index) for index in both]
        for corners, half in ((False, True), (False, False), (True, False)):
            own = [_tf_nearest(s, t, corners, half) for s, t in zip(sizes, targets, strict=True)]
            if all(map(np.array_equal, own, both)):
                return tf.raw_ops.ResizeNearestNeighbor(
                    images=y, size=targets, align_corners=corners, half_pixel_centers=half
                )
    for axis, index in indices.items():
        y = tf.gather(y, index, axis=axis)
    return y


def _tf_nearest(size: int, target: int, corners: bool, half: bool) -> Array:
    """Return the indices of TensorFlow's ResizeNearestNeighbor, in its float32 arithmetic."""
    out = np.arange(target, dtype=np.float32)
    if corners and target > 1:
        place = np.floor(out * np.float32((size - 1) / (target - 1)) + np.float32(0.5))
    else:
        scale = np.float32(size / target)
        place = np.floor((out + np.float32(0.5)) * scale if half else out * scale)
    return np.minimum(place, size - 1).astype(np.int32)


def weights(node: Node, axis: Axis, mode: str, coordinate: str) -> Array:
    """Return the float64 table [target, size] that interpolates one axis.

    Rows sum to 1. Neighbours outside the input repeat its edge, or with `exclude_outside` count nothing.
    Antialiasing stretches the kernel when the axis shrinks.
    """
    place = source_places(axis, coordinate).astype(np.float64)
    stretch = min(axis.scale, 1.0) if node.attr("antialias", 0) else 1.0
    support = (1.0 if mode == "linear" else 2.0) / stretch
    base = np.floor(place)
    reach = int(np.ceil(support))
    neighbours = base[:, None] + np.arange(1 - reach, reach + 1)[None, :]
    distance = (neighbours - place[:, None]) * stretch
    if mode == "linear":
        value = np.maximum(1 - np.abs(distance), 0)
    else:
        value = _cubic(distance, node.attr("cubic_coeff_a", -0.75))
    if node.attr("exclude_outside", 0):
        value = np.where((neighbours < 0) | (neighbours >= axis.size), 0, value)
    total = value.sum(1, keepdims=True)
    value = np.divide(value, total, out=np.zeros_like(value), where=total != 0)
    table = np.zeros((axis.target, axis.size))
    columns = np.clip(neighbours, 0, axis.size - 1).astype(int)
    np.add.at(table, (np.arange(axis.target)[:, None], columns), value)
    return table


def _cubic(distance: Array, a: float) -> Array:
    """Return Keys' cubic convolution kernel."""
    x = np.abs(distance)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a
    return np.asarray(np.where(x <= 1, near, np.where(x < 2, far, 0)))


def _blend(y: Tensor, tables: dict[int, Array], mode: str, *, last: bool) -> Tensor:
    """Interpolate axis by axis: with TensorFlow's bilinear op where it has the same weights, else by matrix."""
    if mode == "linear" and last and len(y.shape) == 4 and set(tables) == {1, 2}:
        for corners, half in ((False, True), (False, False), (True, False)):
            own = {axis: _tf_linear(table.shape, corners, half) for axis, table in tables.items()}
            if all(np.allclose(own[axis], tables[axis], rtol=0, atol=1e-5) for axis in tables):
                resized = tf.raw_ops.ResizeBilinear(
                    images=y,
                    size=[len(tables[1]), len(tables[2])],
                    align_corners=corners,
                    half_pixel_centers=half,
                )
                return tf.cast(resized, y.dtype)
    dtype = tf.as_dtype(y.dtype)
    inner = dtype if dtype.is_floating else tf.float32
    y = tf.cast(y, inner) if inner != dtype else y
    for axis, table in tables.items():
        y = _times(y, table.astype(inner.as_numpy_dtype), axis)
    return tf.cast(y, dtype) if inner != dtype else y


def _times(y: Tensor, table: Array, axis: int) -> Tensor:
    """Multiply one axis by a matrix [target, size]."""
    rank = len(y.shape)
    if axis == rank - 1:
        return tf.matmul(y, np.ascontiguousarray(table.T)) if rank > 1 else tf.linalg.matvec(table, y)
    order = [*(i for i in range(rank) if i != axis), axis]
    return tf.transpose(tf.matmul(tf.transpose(y, order), np.ascontiguousarray(table.T)), np.argsort(order))


def _tf_linear(shape: tuple[int, ...], corners: bool, half: bool) -> Array:
    """Return the table of TensorFlow's ResizeBilinear for [target, size]."""
    target, size = shape
    out = np.arange(target, dtype=np.float64)
    if corners and target > 1:
        place = out * (size - 1) / (target - 1)
    else:
        place = (out + 0.5) * size / target - 0.5 if half else out * size / target
    low = np.floor(place)
    part = place - low
    table = np.zeros((target, size))
    rows = np.arange(target)
    np.add.at(table, (rows, np.clip(low, 0, size - 1).astype(int)), 1 - part)
    np.add.at(table, (rows, np.clip(low + 1, 0, size - 1).astype(int)), part)
    return table


def _outside(node: Node, y: Tensor, axes: dict[int, Axis], places: dict[int, int]) -> Tensor:
    """Write the extrapolation value where the region leaves the input."""
    fill = np.asarray(node.attr("extrapolation_value", 0.0), tf.as_dtype(y.dtype).as_numpy_dtype)
    for axis, one in axes.items():
        place = source_places(one, "tf_crop_and_resize")
        bad = (place < 0) | (place > one.size - 1)
        if bad.any():
            y = tf.where(bad.reshape([-1 if i == places[axis] else 1 for i in range(len(y.shape))]), fill, y)
    return y
