"""Normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.ops.conv import as_value, plain
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Tensor, Value, static_shape


@op("BatchNormalization", layout=Layout.AWARE)
def batch_normalization(node: Node, x: Operand, scale: Operand, bias: Operand, mean: Operand, variance: Operand) -> Any:
    """x scaled and shifted per channel by stored statistics: folded to one product and one sum."""
    if node.attr("training_mode", 0) or node.wants(1):
        node.refuse("training mode")
    value = as_value(x)
    epsilon = node.attr("epsilon", 1e-5)
    parameters = [plain(parameter) for parameter in (scale, bias, mean, variance)]
    if all(isinstance(parameter, np.ndarray) for parameter in parameters):
        s, b, m, v = (parameter.astype(np.float64) for parameter in parameters)
        factor: Tensor = s / np.sqrt(v + epsilon)
        offset: Tensor = b - m * factor
        kind = value.dtype.as_numpy_dtype
        factor, offset = factor.astype(kind), offset.astype(kind)
    else:
        s, b, m, v = (tf.cast(parameter, value.dtype) for parameter in parameters)
        factor = s / tf.sqrt(v + tf.constant(epsilon, v.dtype))
        offset = b - m * factor
    if value.rank < 3:
        return value.first() * factor + offset
    return Value(last=value.last() * factor + offset)


@op("InstanceNormalization", layout=Layout.AWARE)
def instance_normalization(node: Node, x: Operand, scale: Operand, bias: Operand) -> Value:
    """Each channel of each sample normalised over its spatial axes."""
    value = as_value(x)
    y = value.last()
    axes = list(range(1, value.rank - 1))
    normal = standardise(y, axes, node.attr("epsilon", 1e-5))
    return Value(last=normal * plain(scale) + plain(bias))


@op("GroupNormalization", layout=Layout.AWARE)
def group_normalization(node: Node, x: Operand, scale: Operand, bias: Operand) -> Value:
    """Groups of channels normalised together; scale and bias per group before opset 21, then per channel."""
    value = as_value(x)
    groups = node.attr("num_groups", 1)
    channels, *sizes = node.sizes(value, range(1, value.rank))
    grouped = tf.reshape(value.last(), [-1, *sizes, groups, channels // groups])
    axes = [*range(1, value.rank - 1), value.rank]
    normal = standardise(grouped, axes, node.attr("epsilon", 1e-5))
    y = tf.reshape(normal, [-1 if value.shape[0] is None else value.shape[0], *sizes, channels])
    factor, offset = plain(scale), plain(bias)
    if node.opset < 21 and factor.shape[0] != channels:
        factor, offset = (
            p.repeat(channels // groups) if isinstance(p, np.ndarray) else tf.repeat(p, channels // groups)
            for p in (factor, offset)
        )
    return Value(last=y * factor + offset)


def standardise(x: Tensor, axes: list[int], epsilon: float) -> Tensor:
    """Return (x - mean) / sqrt(variance + epsilon) over `axes`."""
    mean = tf.reduce_mean(x, axes, keepdims=True)
    centred = x - mean
    variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
    return centred * tf.math.rsqrt(variance + tf.constant(epsilon, x.dtype))


@op("LayerNormalization")
def layer_normalization(node: Node, x: Tensor, scale: Tensor, bias: Tensor = None) -> tuple[Tensor, ...]:
    """Normalised over all axes from `axis` (-1) on, in float32. Also mean and 1 / standard deviation."""
    rank = len(x.shape)
    axes = list(range(node.attr("axis", -1) % rank, rank))
    dtype = tf.as_dtype(x.dtype)
    inner = tf.cast(x, tf.float32) if dtype.size < 4 else x
    mean = tf.reduce_mean(inner, axes, keepdims=True)
    centred = inner - mean
    variance = tf.reduce_mean(tf.square(centred), axes, keepdims=True)
    inverse = tf.math.rsqrt(variance + tf.constant(node.attr("epsilon", 1e-5), inner.dtype))
    y = tf.cast(centred * inverse, dtype) * scale
    return (y if bias is None else y + bias), mean, inverse


@op("RMSNormalization")
def rms_normalization(node: Node, x: Tensor, scale: Tensor) -> Tensor:
    """x over the root mean square of all axes from `axis` (-1) on, in float32."""
    rank = len(x.shape)
    axes = list(range(node.attr("axis", -1) % rank, rank))
    dtype = tf.as_dtype(x.dtype)
    inner = tf.cast(x, tf.float32) if dtype.size < 4 else x
    mean = tf.reduce_mean(tf.square(inner), axes, keepdims=True)
    normal = inner * tf.math.rsqrt(mean + tf.constant(node.attr("epsilon", 1e-5), inner.dtype))
    return tf.cast(normal, dtype) * scale


@op("LpNormalization", layout=Layout.ANY)
def lp_normalization(node: Node, x: Tensor) -> Tensor:
    """x over its 1-norm or 2-norm along `axis` (-1); 0 where the norm is 0."""
    axis = node.axis(node.attr("axis", -1))
    if node.attr("p", 2) == 1:
        norm = tf.reduce_sum(tf.abs(x), axis, keepdims=True)
    else:
        norm = tf.sqrt(tf.reduce_sum(tf.square(x), axis, keepdims=True))
    zero = tf.zeros([], x.dtype)
    safe = tf.where(tf.equal(norm, zero), tf.ones([], x.dtype), norm)
    return tf.where(tf.equal(norm, zero), zero, x / safe)


@op("MeanVarianceNormalization", layout=Layout.ANY)
def mean_variance_normalization(node: Node, x: Tensor) -> Tensor:
    """(x - mean) / (standard deviation + 1e-9) over `axes` (all but channels)."""
    axes = [node.axis(axis) for axis in node.attr("axes", [0, 2, 3])]
    centred = x - tf.reduce_mean(x, axes, keepdims=True)
    deviation = tf.sqrt(tf.reduce_mean(tf.square(centred), axes, keepdims=True))
    return centred / (deviation + tf.constant(1e-9, x.dtype))


@op("LRN", layout=Layout.AWARE)
def local_response_normalization(node: Node, x: Operand) -> Value:
    """x over (bias + alpha / size * sum of squares over neighbouring channels) ^ beta."""
    size, y = node.attr("size", 1), as_value(x).last()
    alpha, beta, bias = node.attr("alpha", 1e-4), node.attr("beta", 0.75), node.attr("bias", 1.0)
    if size % 2 and len(y.shape) == 4:
        radius = (size - 1) // 2
        return Value(last=tf.nn.local_response_normalization(y, radius, bias, alpha / size, beta))
    rank, channels = len(y.shape), static_shape(y)[-1]
    before, after = (size - 1) // 2, size - 1 - (size - 1) // 2
    padded = tf.pad(tf.square(y), [(0, 0)] * (rank - 1) + [(before, after)])
    total = tf.add_n([padded[..., start : start + (channels or 0)] for start in range(size)])
    return Value(last=y / tf.pow(bias + total * (alpha / size), beta))


@op("Dropout", layout=Layout.AWARE)
def dropout(node: Node, x: Operand, ratio: Operand = None, training: Operand = None) -> Any:
    """x; the mask is all true. Training mode is refused, unless nothing is dropped."""
    if training is not None and bool(np.any(node.constant(training, 2))):
        rate = 0.5 if ratio is None else float(node.constant(ratio, 1))
        if rate > 0:
            node.refuse("training mode")
    if not node.wants(1):
        return x
    first = as_value(x).first()
    return x, tf.ones_like(first, tf.bool if node.opset >= 10 else first.dtype)
