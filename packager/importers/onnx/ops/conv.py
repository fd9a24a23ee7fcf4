"""Convolutions, channels-last."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.ops.window import Window, pad_spatial, same_pads, window
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Tensor, Value, static_shape


@op("Conv", layout=Layout.AWARE)
def conv(node: Node, x: Operand, w: Operand, bias: Operand = None) -> Value:
    """Cross-correlation over 1, 2 or 3 spatial axes. x [N, C, ...], w [M, C / group, ...] -> [N, M, ...]."""
    x = as_value(x)
    assert w is not None
    kernel = tuple(node.attr("kernel_shape", [int(size or 0) for size in w.shape[2:]]))
    y = convolve(x.last(), kernel_last(w), window(node, x, kernel), node.attr("group", 1))
    return Value(last=y if bias is None else tf.nn.bias_add(y, plain(bias)))


def as_value(x: Operand) -> Value:
    """Return an operand as Value, constant or not."""
    return x if isinstance(x, Value) else Value(first=tf.constant(x))


def plain(x: Operand) -> Tensor:
    """Return an operand as tensor or array in ONNX order."""
    return x.first() if isinstance(x, Value) else x


def kernel_last(w: Operand) -> Tensor:
    """Return weights [M, C, ...] as [..., C, M]."""
    tensor = plain(w)
    order = [*range(2, len(tensor.shape)), 1, 0]
    if isinstance(tensor, np.ndarray):
        return np.ascontiguousarray(tensor.transpose(order))
    return tf.transpose(tensor, order)


def convolve(x: Tensor, w: Tensor, win: Window, groups: int) -> Tensor:
    """Convolve a channels-last tensor with [..., C / groups, M]; one spatial axis becomes two."""
    rank = len(win.kernel)
    if rank == 1:
        flat = static_shape(x)
        x = (
            tf.reshape(x, [-1 if flat[0] is None else flat[0], 1, *(s or -1 for s in flat[1:])])
            if (flat.count(None) <= 1)
            else tf.expand_dims(x, 1)
        )
        w = w[None]
        win = Window((1, *win.kernel), (1, *win.strides), (1, *win.dilations), ((0, 0), *win.pads), (1, *win.sizes))
    if win.same():
        padding = "SAME"
    else:
        padding, x = "VALID", pad_spatial(x, win)
    if rank == 3 and set(win.dilations) != {1}:
        w, win = dilate(w, win), Window(win.extent, win.strides, (1, 1, 1), win.pads, win.sizes)
    channels, filters = static_shape(x)[-1], static_shape(w)[-1]
    if groups > 1 and groups == channels and rank < 3:
        y = _depthwise(x, w, win, padding, int(filters or 0) // groups)
    else:
        y = _grouped(x, w, win, padding, groups)
    return tf.squeeze(y, 1) if rank == 1 else y


def _grouped(x: Tensor, w: Tensor, win: Window, padding: str, groups: int) -> Tensor:
    if groups == 1:
        return _plain_conv(x, w, win, padding)
    weights = np.split(w, groups, -1) if isinstance(w, np.ndarray) else tf.split(w, groups, -1)
    parts = zip(tf.split(x, groups, -1), weights, strict=True)
    return tf.concat([_plain_conv(a, b, win, padding) for a, b in parts], -1)


def _plain_conv(x: Tensor, w: Tensor, win: Window, padding: str) -> Tensor:
    if len(win.kernel) == 3:
        return tf.nn.conv3d(x, w, [1, *win.strides, 1], padding)
    return tf.nn.conv2d(x, w, list(win.strides), padding, dilations=list(win.dilations))


def _depthwise(x: Tensor, w: Tensor, win: Window, padding: str, multiplier: int) -> Tensor:
    """Depthwise convolution; TensorFlow wants equal strides, and stride 1 with dilation.

    Other strides: every place is computed and those between are dropped, so the padding must be explicit.
    """
    channels = int(static_shape(w)[-1] or 0) // multiplier
    w = (
        tf.reshape(w, [*win.kernel, channels, multiplier])
        if not isinstance(w, np.ndarray)
        else w.reshape(*win.kernel, channels, multiplier)
    )
    down, across = win.strides
    if down == across and (down == 1 or win.dilations == (1, 1)):
        return tf.nn.depthwise_conv2d(x, w, [1, down, across, 1], padding, dilations=list(win.dilations))
    if padding == "SAME":
        x = pad_spatial(x, win)
    y = tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "VALID", dilations=list(win.dilations))
    return y[:, ::down, ::across]


def dilate(w: Tensor, win: Window) -> Tensor:
    """Return weights [..., C, M] with the zeros of the dilation written out."""
    if set(win.dilations) == {1}:
        return w
    if isinstance(w, np.ndarray):
        full = np.zeros((*win.extent, *w.shape[-2:]), w.dtype)
        full[tuple(slice(None, None, step) for step in win.dilations)] = w
        return full
    for axis, (step, extent) in enumerate(zip(win.dilations, win.extent, strict=True)):
        pads = [[0, step - 1] if place == axis + 1 else [0, 0] for place in range(len(w.shape) + 1)]
        shape = [extent + step - 1 if place == axis else size for place, size in enumerate(w.shape)]
        wide = tf.reshape(tf.pad(tf.expand_dims(w, axis + 1), pads), shape)
        w = wide[(*(slice(None),) * axis, slice(0, extent))]
    return w


@op("ConvTranspose", layout=Layout.AWARE)
def conv_transpose(node: Node, x: Operand, w: Operand, bias: Operand = None) -> Value:
    """Gradient of a convolution. x [N, C, ...], w [C, M / group, ...] -> [N, M, ...]."""
    x = as_value(x)
    assert w is not None
    rank, groups = x.rank - 2, node.attr("group", 1)
    kernel = tuple(node.attr("kernel_shape", [int(size or 0) for size in w.shape[2:]]))
    sizes = node.sizes(x, range(2, x.rank))
    strides = tuple(node.attr("strides", [1] * rank))
    dilations = tuple(node.attr("dilations", [1] * rank))
    win = Window(kernel, strides, dilations, ((0, 0),) * rank, tuple(sizes))
    tensor = plain(w)
    order = [*range(2, rank + 2), 1, 0]
    weights = tensor.transpose(order) if isinstance(tensor, np.ndarray) else tf.transpose(tensor, order)
    weights = dilate(weights, win)
    pads, outputs = _transposed_pads(node, win)
    tensor = x.last()
    if rank == 1:
        tensor, weights, strides = tf.expand_dims(tensor, 1), weights[None], (1, *strides)
        pads, outputs = [(0, 0), *pads], [1, *outputs]
    y = _transpose_groups(tensor, weights, strides, pads, outputs, groups)
    y = tf.squeeze(y, 1) if rank == 1 else y
    return Value(last=y if bias is None else tf.nn.bias_add(y, plain(bias)))


def _transposed_pads(node: Node, win: Window) -> tuple[list[tuple[int, int]], list[int]]:
    """Return what is cut before and after each axis of the full result, and the output sizes."""
    rank = len(win.kernel)
    extra = node.attr("output_padding", [0] * rank)
    flat = node.attr("pads", [0] * 2 * rank)
    pads = [(flat[axis], flat[axis + rank]) for axis in range(rank)]
    full = [s * ((size or 0) - 1) + e for size, s, e in zip(win.sizes, win.strides, win.extent, strict=True)]
    auto, shape = node.attr("auto_pad", "NOTSET"), node.attr("output_shape", [0] * rank)
    if node.has("output_shape") or auto.startswith("SAME"):
        if not node.has("output_shape"):
            shape = [(size or 0) * stride for size, stride in zip(win.sizes, win.strides, strict=True)]
        shape = shape[-rank:]
        total = [f + o - s for f, o, s in zip(full, extra, shape, strict=True)]
        upper = auto == "SAME_UPPER"
        pads = [(t // 2, t - t // 2) if upper else (t - t // 2, t // 2) for t in total]
    elif auto == "VALID":
        pads = [(0, 0)] * rank
    cut = [(before, after - more) for (before, after), more in zip(pads, extra, strict=True)]
    return cut, [f - before - after for f, (before, after) in zip(full, cut, strict=True)]


def _transpose_groups(
    x: Tensor, w: Tensor, strides: tuple[int, ...], cut: list[tuple[int, int]], outputs: list[int], groups: int
) -> Tensor:
    """Transposed convolution per group: SAME where the cut is that of SAME, else full and cut."""
    kernel = static_shape(w)[:-2]
    sizes = [(o + a + b - (k or 0)) // s + 1 for o, (a, b), k, s in zip(outputs, cut, kernel, strides, strict=True)]
    same = all(
        n * s == o and (a, b) == same_pads(o, k or 0, s, upper=True)
        for n, s, o, (a, b), k in zip(sizes, strides, outputs, cut, kernel, strict=True)
    )
    full = outputs if same else [o + a + b for o, (a, b) in zip(outputs, cut, strict=True)]
    function: Any = tf.nn.conv3d_transpose if len(kernel) == 3 else tf.nn.conv2d_transpose
    batch = static_shape(x)[0]
    first = tf.shape(x)[0] if batch is None else batch
    inputs = [x] if groups == 1 else tf.split(x, groups, -1)
    weights = (
        [w] if groups == 1 else tf.split(w, groups, -1) if not isinstance(w, np.ndarray) else np.split(w, groups, -1)
    )
    parts = [
        function(a, b, [first, *full, int(b.shape[-2])], list(strides), "SAME" if same else "VALID")
        for a, b in zip(inputs, weights, strict=True)
    ]
    y = parts[0] if groups == 1 else tf.concat(parts, -1)
    if same or not any(map(any, cut)):
        return y
    y = y[(slice(None), *(slice(max(a, 0), -b if b > 0 else None) for a, b in cut))]
    grow = [(max(-a, 0), max(-b, 0)) for a, b in cut]
    return tf.pad(y, [(0, 0), *grow, (0, 0)]) if any(map(any, grow)) else y


@op("ConvInteger", layout=Layout.AWARE)
def conv_integer(node: Node, x: Operand, w: Operand, x_zero: Operand = None, w_zero: Operand = None) -> Value:
    """Convolution of 8-bit integers to int32, in float32: exact up to sums of 2^24."""
    left = less_zero(as_value(x).first(), plain(x_zero))
    right = less_zero(plain(w), plain(w_zero), axis=0)
    return Value(last=tf.cast(conv(node, Value(first=left), right).last(), tf.int32))


def less_zero(x: Tensor, zero: Tensor, axis: int | None = None) -> Tensor:
    """Return x minus its zero point (scalar, or one per slice of `axis`) as float32."""
    constant = isinstance(x, np.ndarray) and (zero is None or isinstance(zero, np.ndarray))
    y = x.astype(np.float32) if constant else tf.cast(x, tf.float32)
    if zero is None:
        return y
    zero = zero.astype(np.float32) if isinstance(zero, np.ndarray) else tf.cast(zero, tf.float32)
    if len(zero.shape) == 1 and zero.shape[0] != 1 and axis is not None:
        shape = [-1 if i == axis else 1 for i in range(len(y.shape))]
        return y - (zero.reshape(shape) if isinstance(zero, np.ndarray) else tf.reshape(zero, shape))
    return y - (zero if len(zero.shape) != 1 or zero.shape[0] != 1 else zero[0])
