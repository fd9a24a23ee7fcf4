"""Pooling, channels-last."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.ops.conv import as_value
from packager.importers.onnx.ops.window import Window, pad_spatial, window
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Tensor, Value, static_shape


@op("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", layout=Layout.AWARE)
def global_pool(node: Node, x: Operand) -> Value:
    """Mean, maximum or p-norm over all spatial axes, which stay with size 1.

    Images of fixed size are pooled with one window: around a reduction coremltools leaves two transposes.
    """
    value = as_value(x)
    y, sizes = value.last(), value.shape[2:]
    axes = list(range(1, value.rank - 1))
    if node.op_type == "GlobalLpPool":
        p = float(node.attr("p", 2))
        return Value(last=tf.pow(tf.reduce_sum(tf.pow(tf.abs(y), p), axes, keepdims=True), 1 / p))
    largest = node.op_type == "GlobalMaxPool"
    if len(sizes) == 2 and None not in sizes and value.dtype == tf.float32:
        pool = tf.nn.max_pool2d if largest else tf.nn.avg_pool2d
        return Value(last=pool(y, list(sizes), 1, "VALID"))
    reduce = tf.reduce_max if largest else tf.reduce_mean
    return Value(last=reduce(y, axes, keepdims=True))


@op("MaxPool", layout=Layout.AWARE)
def max_pool(node: Node, x: Operand) -> Any:
    """Maximum under a window; pads never win. The second output is each maximum's index in ONNX order."""
    value = as_value(x)
    win = window(node, value, tuple(node.attr("kernel_shape", [1])))
    if node.wants(1):
        return _with_indices(node, value, win)
    y, dtype = value.last(), value.dtype
    if not dtype.is_floating:
        y = tf.cast(y, tf.float32)
    if set(win.dilations) != {1}:
        padded = pad_spatial(y, win, -np.inf)
        tensors = [part for _, part in _views(padded, win)]
        y = tf.reduce_max(tf.stack(tensors), 0)
    else:
        y = _pool("MAX", y, win)
    return Value(last=tf.cast(y, dtype) if y.dtype != dtype else y)


def _pool(kind: str, y: Tensor, win: Window, fill: float | None = None) -> Tensor:
    """Pool with TensorFlow's 2-D kernels; 3-D windows go plane by plane, then along the depth."""
    fill = (float(tf.as_dtype(y.dtype).min) if kind == "MAX" else 0.0) if fill is None else fill
    padding = "SAME" if win.same() and (kind == "MAX" or not win.padded) else "VALID"
    y = pad_spatial(y, win, fill) if padding == "VALID" else y
    function = tf.nn.max_pool2d if kind == "MAX" else tf.nn.avg_pool2d
    kernel, strides = win.kernel, win.strides
    if len(kernel) == 1:
        return tf.squeeze(function(tf.expand_dims(y, 1), [1, *kernel], [1, *strides], padding), 1)
    if len(kernel) == 2:
        return function(y, list(kernel), list(strides), padding)
    batch, depth, height, width, channels = (-1 if size is None else size for size in static_shape(y))
    planes = function(tf.reshape(y, [-1, height, width, channels]), list(kernel[1:]), list(strides[1:]), padding)
    high, wide = static_shape(planes)[1:3]
    columns = tf.reshape(planes, [batch, depth, (high or 1) * (wide or 1), channels])
    y = function(columns, [kernel[0], 1], [strides[0], 1], padding)
    return tf.reshape(y, [batch, static_shape(y)[1], high, wide, channels])


def _views(padded: Tensor, win: Window) -> list[tuple[tuple[int, ...], Tensor]]:
    """Return for each place in the window the strided view of the padded tensor that it sees."""
    counts = win.outputs()
    result = []
    for place in itertools.product(*(range(k) for k in win.kernel)):
        index = [slice(None)]
        for offset, dilation, stride, count in zip(place, win.dilations, win.strides, counts, strict=True):
            start = offset * dilation
            index.append(slice(start, start + (count - 1) * stride + 1, stride))
        result.append((place, padded[tuple(index)]))
    return result


def _with_indices(node: Node, x: Value, win: Window) -> tuple[Value, Value]:
    """Maximum and its index in the flat ONNX-order tensor, from all views of the window."""
    sizes, channels, batch = node.sizes(x, range(2, x.rank)), *node.sizes(x, [1, 0])
    order = node.attr("storage_order", 0)
    grid = np.arange(int(np.prod(sizes))).reshape(sizes[::-1] if order else sizes)
    spatial = (grid.T if order else grid).astype(np.int64)
    planes = np.arange(batch * channels).reshape(batch, channels) * spatial.size
    flat = planes.reshape(batch, *(1,) * len(sizes), channels) + spatial[None, ..., None]
    values = tf.stack([view for _, view in _views(pad_spatial(x.last(), win, float(x.dtype.min)), win)], -1)
    places = np.pad(flat, [(0, 0), *win.pads, (0, 0)])
    indices = np.stack([view for _, view in _views(places, win)], -1)
    best = tf.argmax(values, -1)
    chosen = tf.one_hot(best, values.shape[-1], dtype=tf.int64)
    return Value(last=tf.reduce_max(values, -1)), Value(last=tf.reduce_sum(chosen * indices, -1))


@op("AveragePool", layout=Layout.AWARE)
def average_pool(node: Node, x: Operand) -> Value:
    """Mean under a window; `count_include_pad` says whether pads count as zeros."""
    value = as_value(x)
    kernel = tuple(node.attr("kernel_shape", [1]))
    win = window(node, value, kernel)
    y = value.last()
    include = bool(node.attr("count_include_pad", 0))
    if set(win.dilations) != {1}:
        total = tf.add_n([view for _, view in _views(pad_spatial(y, win), win)])
        return Value(last=total / _counts(node, value, win, include).astype(total.dtype.as_numpy_dtype))
    if not win.padded:
        return Value(last=_pool("AVG", y, win))
    if win.same() and not include and len(kernel) == 2:
        return Value(last=tf.nn.avg_pool2d(y, list(kernel), list(win.strides), "SAME"))
    mean = _pool("AVG", y, win)
    factor = float(np.prod(kernel)) / _counts(node, value, win, include)
    if not np.all(factor == 1):
        mean = mean * factor.astype(mean.dtype.as_numpy_dtype)
    return Value(last=mean)


def _counts(node: Node, x: Value, win: Window, include: bool) -> Any:
    """Return how many elements count under each place of the window, [1, ..., 1]."""
    sizes = node.sizes(x, range(2, x.rank))
    rank = len(sizes)
    ones = np.ones(sizes, np.float64)
    if include:
        flat = node.attr("pads", [0] * 2 * rank)
        pads = (
            win.pads
            if node.attr("auto_pad", "NOTSET") != "NOTSET"
            else list(zip(flat[:rank], flat[rank:], strict=True))
        )
        ones = np.pad(ones, pads, constant_values=1.0)
    else:
        pads = ((0, 0),) * rank
    rest = [(w[0] - p[0], w[1] - p[1]) for w, p in zip(win.pads, pads, strict=True)]
    full = np.pad(ones, rest)[None, ..., None]
    return np.sum([view for _, view in _views(full, win)], axis=0)


@op("LpPool", layout=Layout.AWARE)
def lp_pool(node: Node, x: Operand) -> Value:
    """p-norm under a window."""
    value = as_value(x)
    win = window(node, value, tuple(node.attr("kernel_shape", [1])))
    p = float(node.attr("p", 2))
    powers = tf.pow(tf.abs(value.last()), p)
    if set(win.dilations) != {1}:
        total = tf.add_n([view for _, view in _views(pad_spatial(powers, win), win)])
    else:
        total = _pool("AVG", powers, win, 0.0) * float(np.prod(win.kernel))
    return Value(last=tf.pow(total, 1 / p))


@op("MaxUnpool")
def max_unpool(node: Node, x: Tensor, indices: Tensor, shape: Tensor = None) -> Tensor:
    """Zeros, with x written at the flat indices of the tensor that was pooled."""
    sizes = static_shape(x)
    if None in sizes:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    rank = len(sizes) - 2
    kernel, strides = node.attr("kernel_shape", [1]), node.attr("strides", [1] * rank)
    pads = node.attr("pads", [0] * 2 * rank)
    plain = [(int(sizes[i + 2] or 0) - 1) * strides[i] - pads[i] - pads[i + rank] + kernel[i] for i in range(rank)]
    inner = [int(sizes[0] or 0), int(sizes[1] or 0), *plain]
    flat = tf.scatter_nd(tf.reshape(indices, [-1, 1]), tf.reshape(x, [-1]), np.array([np.prod(inner)], np.int64))
    y = tf.reshape(flat, inner)
    if shape is None:
        return y
    wanted = node.ints(shape, 2)
    return tf.pad(y, [(0, want - have) for want, have in zip(wanted, inner, strict=True)])
