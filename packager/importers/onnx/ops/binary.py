"""Elementwise functions of several tensors, with broadcasting: arithmetic, comparison, logic, bits, choice."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import wide
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Tensor


@op("Add", layout=Layout.ANY)
def add(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a + b; integers wrap."""
    return wide(tf.add, a, b)


@op("Sub", layout=Layout.ANY)
def subtract(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a - b; integers wrap."""
    return wide(tf.subtract, a, b)


@op("Mul", layout=Layout.ANY)
def multiply(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a * b; integers wrap."""
    return wide(tf.multiply, a, b)


@op("Div", layout=Layout.ANY)
def divide(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a / b; integers truncate towards zero."""
    if tf.as_dtype(a.dtype).is_integer:
        return wide(tf.truncatediv, a, b)
    return tf.divide(a, b)


@op("Mod", layout=Layout.ANY)
def modulo(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """Remainder with the sign of b, or with `fmod` the sign of a."""
    if not node.attr("fmod", 0):
        return wide(tf.math.floormod, a, b)
    if tf.as_dtype(a.dtype).is_unsigned:
        return wide(tf.math.floormod, a, b)
    return wide(lambda x, y: tf.sign(x) * tf.math.floormod(tf.abs(x), tf.abs(y)), a, b)


@op("Pow", layout=Layout.ANY)
def power(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a to the b, in a's type; constant exponents 2 and 0.5 become square and square root."""
    dtype = tf.as_dtype(a.dtype)
    if isinstance(b, np.ndarray) and b.size == 1 and b.ndim <= len(a.shape) and dtype.is_floating:
        exponent = float(b.ravel()[0])
        if exponent == 2:
            return tf.square(a)
        if exponent == 0.5:
            return tf.sqrt(a)
    if dtype.is_integer and not tf.as_dtype(b.dtype).is_integer:
        return tf.cast(tf.pow(tf.cast(a, tf.float64), tf.cast(b, tf.float64)), dtype)
    return wide(tf.pow, a, tf.cast(b, dtype))


@op("Max", layout=Layout.ANY)
def maximum(_node: Node, *tensors: Tensor) -> Tensor:
    """Largest of the operands."""
    return _all(tf.maximum, tensors)


@op("Min", layout=Layout.ANY)
def minimum(_node: Node, *tensors: Tensor) -> Tensor:
    """Smallest of the operands."""
    return _all(tf.minimum, tensors)


@op("Sum", layout=Layout.ANY)
def total(_node: Node, *tensors: Tensor) -> Tensor:
    """Sum of the operands."""
    return _all(tf.add, tensors)


@op("Mean", layout=Layout.ANY)
def mean(_node: Node, *tensors: Tensor) -> Tensor:
    """Mean of the operands."""
    return _all(tf.add, tensors) / tf.constant(len(tensors), tensors[0].dtype)


@op("Equal", layout=Layout.ANY)
def equal(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a == b."""
    return tf.equal(a, b)


@op("Greater", layout=Layout.ANY)
def greater(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a > b."""
    return tf.greater(a, b)


@op("GreaterOrEqual", layout=Layout.ANY)
def greater_equal(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a >= b."""
    return tf.greater_equal(a, b)


@op("Less", layout=Layout.ANY)
def less(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a < b."""
    return tf.less(a, b)


@op("LessOrEqual", layout=Layout.ANY)
def less_equal(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a <= b."""
    return tf.less_equal(a, b)


@op("And", layout=Layout.ANY)
def logical_and(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a and b."""
    return tf.logical_and(a, b)


@op("Or", layout=Layout.ANY)
def logical_or(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a or b."""
    return tf.logical_or(a, b)


@op("Xor", layout=Layout.ANY)
def logical_xor(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """Exactly one of a and b."""
    return tf.not_equal(a, b)


@op("BitwiseAnd", layout=Layout.ANY)
def bitwise_and(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """Bits set in a and b."""
    return tf.bitwise.bitwise_and(a, b)


@op("BitwiseOr", layout=Layout.ANY)
def bitwise_or(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """Bits set in a or b."""
    return tf.bitwise.bitwise_or(a, b)


@op("BitwiseXor", layout=Layout.ANY)
def bitwise_xor(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """Bits set in exactly one of a and b."""
    return tf.bitwise.bitwise_xor(a, b)


@op("BitShift", layout=Layout.ANY)
def bit_shift(node: Node, a: Tensor, b: Tensor) -> Tensor:
    """a shifted by b bits. Shifting by the width or more, or by less than 0, leaves 0 (-1 of negative a)."""
    dtype = tf.as_dtype(a.dtype)
    left = node.attr("direction", "") == "LEFT"
    shift = tf.bitwise.left_shift if left else tf.bitwise.right_shift
    width, zero = 8 * dtype.size, tf.zeros([], dtype)
    if isinstance(b, np.ndarray) and ((b >= 0) & (b < width)).all():
        return shift(a, b)
    far = tf.logical_or(tf.less(b, zero), tf.greater_equal(b, tf.constant(width, dtype)))
    rest = zero if left or dtype.is_unsigned else tf.where(tf.less(a, zero), tf.constant(-1, dtype), zero)
    return tf.where(far, rest, shift(a, tf.where(far, zero, b)))


@op("Where", layout=Layout.ANY)
def where(_node: Node, condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """a where the condition holds, otherwise b."""
    return tf.where(condition, a, b)


@op("PRelu", layout=Layout.ANY)
def prelu(_node: Node, x: Tensor, slope: Tensor) -> Tensor:
    """x, times the slope where negative. The slope broadcasts to x."""
    if not tf.as_dtype(x.dtype).is_floating:
        return tf.where(tf.less(x, tf.zeros([], x.dtype)), x * slope, x)
    if not isinstance(slope, np.ndarray):
        return tf.nn.relu(x) - slope * tf.nn.relu(-x)
    if slope.size == 1:
        return tf.nn.leaky_relu(x, float(slope.ravel()[0]))
    # This form, the slope one axis short of x, is what TensorFlow Lite makes one op of.
    if slope.ndim == len(x.shape) and slope.shape[0] == 1:
        slope = slope[0]
    return tf.nn.relu(x) + -slope * tf.nn.relu(-x)


def _all(function: Callable[[Tensor, Tensor], Tensor], tensors: tuple[Tensor, ...]) -> Tensor:
    return reduce(lambda a, b: wide(function, a, b), tensors[1:], tf.convert_to_tensor(tensors[0]))
