"""Activations, softmax and their kin."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import wide
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Tensor


def scalar(value: float, like: Tensor) -> Tensor:
    """Return a constant of the same type as `like`."""
    return np.asarray(value, tf.as_dtype(like.dtype).as_numpy_dtype)


@op("Relu", layout=Layout.ANY)
def relu(_node: Node, x: Tensor) -> Tensor:
    """max(x, 0)."""
    return wide(tf.nn.relu, x)


@op("LeakyRelu", layout=Layout.ANY)
def leaky_relu(node: Node, x: Tensor) -> Tensor:
    """x, times alpha where negative."""
    return tf.nn.leaky_relu(x, node.attr("alpha", 0.01))


@op("ThresholdedRelu", layout=Layout.ANY)
def thresholded_relu(node: Node, x: Tensor) -> Tensor:
    """x where it is greater than alpha, otherwise 0."""
    return tf.where(x > scalar(node.attr("alpha", 1.0), x), x, scalar(0, x))


@op("Sigmoid", layout=Layout.ANY)
def sigmoid(_node: Node, x: Tensor) -> Tensor:
    """1 / (1 + exp(-x))."""
    return tf.sigmoid(x)


@op("HardSigmoid", layout=Layout.ANY)
def hard_sigmoid(node: Node, x: Tensor) -> Tensor:
    """alpha x + beta, clipped to [0, 1]."""
    slope, offset = scalar(node.attr("alpha", 0.2), x), scalar(node.attr("beta", 0.5), x)
    return tf.clip_by_value(x * slope + offset, scalar(0, x), scalar(1, x))


@op("HardSwish", layout=Layout.ANY)
def hard_swish(_node: Node, x: Tensor) -> Tensor:
    """x relu6(x + 3) / 6."""
    return x * tf.nn.relu6(x + scalar(3, x)) * scalar(1 / 6, x)


@op("Tanh", layout=Layout.ANY)
def tanh(_node: Node, x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return tf.tanh(x)


@op("Elu", layout=Layout.ANY)
def elu(node: Node, x: Tensor) -> Tensor:
    """x, or alpha (exp(x) - 1) where negative."""
    alpha = node.attr("alpha", 1.0)
    if alpha == 1:
        return tf.nn.elu(x)
    return tf.nn.relu(x) + scalar(alpha, x) * tf.nn.elu(-tf.nn.relu(-x))


@op("Celu", layout=Layout.ANY)
def celu(node: Node, x: Tensor) -> Tensor:
    """x, or alpha (exp(x / alpha) - 1) where negative."""
    alpha = scalar(node.attr("alpha", 1.0), x)
    return tf.nn.relu(x) + alpha * tf.nn.elu(-tf.nn.relu(-x) / alpha)


@op("Selu", layout=Layout.ANY)
def selu(node: Node, x: Tensor) -> Tensor:
    """gamma times x, or gamma alpha (exp(x) - 1) where negative."""
    alpha = node.attr("alpha", 1.67326319217681884765625)
    gamma = node.attr("gamma", 1.05070102214813232421875)
    return scalar(gamma, x) * tf.nn.relu(x) + scalar(alpha * gamma, x) * tf.nn.elu(-tf.nn.relu(-x))


@op("Gelu", layout=Layout.ANY)
def gelu(node: Node, x: Tensor) -> Tensor:
    """x times the normal distribution function, or its tanh approximation."""
    if node.attr("approximate", "none") == "tanh":
        return tf.nn.gelu(x, approximate=True)
    # tf.nn.gelu uses Erfc, which coremltools lacks; TensorFlow Lite makes one op of this form.
    return x * scalar(0.5, x) * (tf.math.erf(x / scalar(2**0.5, x)) + scalar(1, x))


@op("Swish", layout=Layout.ANY)
def swish(node: Node, x: Tensor) -> Tensor:
    """x sigmoid(alpha x)."""
    return x * tf.sigmoid(x * scalar(node.attr("alpha", 1.0), x))


@op("Mish", layout=Layout.ANY)
def mish(node: Node, x: Tensor) -> Tensor:
    """x tanh(softplus(x))."""
    return x * tf.tanh(softplus(node, x))


@op("Softplus", layout=Layout.ANY)
def softplus(_node: Node, x: Tensor) -> Tensor:
    """log(1 + exp(x)), as max(x, 0) + log(1 + exp(-|x|)) so that it cannot overflow."""
    return tf.nn.relu(x) + tf.math.log(scalar(1, x) + tf.exp(-tf.abs(x)))


@op("Softsign", layout=Layout.ANY)
def softsign(_node: Node, x: Tensor) -> Tensor:
    """x / (1 + |x|)."""
    return x / (scalar(1, x) + tf.abs(x))


@op("Shrink", layout=Layout.ANY)
def shrink(node: Node, x: Tensor) -> Tensor:
    """x moved by bias towards 0 outside [-lambd, lambd], 0 inside."""
    bias, lambd = scalar(node.attr("bias", 0.0), x), scalar(node.attr("lambd", 0.5), x)
    zero = scalar(0, x)
    return tf.where(x < -lambd, x + bias, tf.where(x > lambd, x - bias, zero))


@op("Clip", layout=Layout.ANY)
def clip_attributes(node: Node, x: Tensor) -> Tensor:
    """x limited to the attributes min and max."""
    low = scalar(node.attr("min", 0.0), x) if node.has("min") else None
    high = scalar(node.attr("max", 0.0), x) if node.has("max") else None
    return limit(x, low, high)


@op("Clip", since=11, layout=Layout.ANY)
def clip(_node: Node, x: Tensor, low: Tensor = None, high: Tensor = None) -> Tensor:
    """x limited to [low, high], each scalar and optional. min(max(x, low), high)."""
    low = low.reshape(()) if isinstance(low, np.ndarray) else low
    high = high.reshape(()) if isinstance(high, np.ndarray) else high
    return limit(x, low, high)


def limit(x: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return min(max(x, low), high); relu6 where it is that."""
    if isinstance(low, np.ndarray) and isinstance(high, np.ndarray) and low == 0 and high == 6:
        return wide(tf.nn.relu6, x)
    if low is not None:
        x = wide(tf.maximum, x, low)
    return x if high is None else wide(tf.minimum, x, high)


@op("Softmax", "LogSoftmax", "Hardmax")
def softmax_flat(node: Node, x: Tensor) -> Tensor:
    """Before opset 13: over all axes from `axis` (1) on, taken as one."""
    rank = len(x.shape)
    axis = node.attr("axis", 1)
    axis = axis + rank if axis < 0 else axis
    if axis == rank - 1:
        return _normalise(node, x, axis)
    if None in x.shape[1:] or (axis == 0 and None in x.shape):
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    inner = int(np.prod(x.shape[axis:]))
    flat = _normalise(node, tf.reshape(x, [-1, inner]), 1)
    return tf.reshape(flat, [-1 if size is None else size for size in x.shape])


@op("Softmax", "LogSoftmax", "Hardmax", since=13, layout=Layout.ANY)
def softmax(node: Node, x: Tensor) -> Tensor:
    """Over one axis (-1)."""
    return _normalise(node, x, node.axis(node.attr("axis", -1)))


def _normalise(node: Node, x: Tensor, axis: int) -> Tensor:
    """Softmax, its logarithm, or a one at the first maximum."""
    last = len(x.shape) - 1
    if axis != last:
        perm = [*(i for i in range(last + 1) if i != axis), axis]
        moved = _normalise(node, tf.transpose(x, perm), last)
        return tf.transpose(moved, np.argsort(perm))
    if node.op_type == "Softmax":
        return tf.nn.softmax(x)
    if node.op_type == "LogSoftmax":
        return tf.nn.log_softmax(x)
    return tf.one_hot(tf.argmax(x, -1), x.shape[-1], dtype=x.dtype)
