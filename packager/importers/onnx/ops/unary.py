"""Elementwise functions of one tensor, written with ops that TensorFlow Lite and Core ML both have."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import tf_dtype, wide
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Tensor


@op("Identity", layout=Layout.ANY)
def identity(_node: Node, x: Tensor) -> Tensor:
    """x."""
    return tf.convert_to_tensor(x)


@op("Abs", layout=Layout.ANY)
def absolute(_node: Node, x: Tensor) -> Tensor:
    """|x|; unsigned types are their own magnitude."""
    return x if tf.as_dtype(x.dtype).is_unsigned else wide(tf.abs, x)


@op("Neg", layout=Layout.ANY)
def negative(_node: Node, x: Tensor) -> Tensor:
    """-x."""
    return tf.negative(x)


@op("Sign", layout=Layout.ANY)
def sign(_node: Node, x: Tensor) -> Tensor:
    """-1, 0 or 1."""
    return wide(tf.sign, x)


@op("Floor", layout=Layout.ANY)
def floor(_node: Node, x: Tensor) -> Tensor:
    """Largest integer <= x."""
    return tf.floor(x)


@op("Ceil", layout=Layout.ANY)
def ceil(_node: Node, x: Tensor) -> Tensor:
    """Smallest integer >= x."""
    return tf.math.ceil(x)


@op("Round", layout=Layout.ANY)
def round_half_even(_node: Node, x: Tensor) -> Tensor:
    """Nearest integer, halves to even."""
    return tf.round(x)


@op("Sqrt", layout=Layout.ANY)
def sqrt(_node: Node, x: Tensor) -> Tensor:
    """Square root."""
    return tf.sqrt(x)


@op("Reciprocal", layout=Layout.ANY)
def reciprocal(_node: Node, x: Tensor) -> Tensor:
    """1 / x."""
    return tf.math.reciprocal(x)


@op("Exp", layout=Layout.ANY)
def exp(_node: Node, x: Tensor) -> Tensor:
    """e to the x."""
    return tf.exp(x)


@op("Log", layout=Layout.ANY)
def log(_node: Node, x: Tensor) -> Tensor:
    """Natural logarithm."""
    return tf.math.log(x)


@op("Sin", layout=Layout.ANY)
def sin(_node: Node, x: Tensor) -> Tensor:
    """Sine."""
    return tf.sin(x)


@op("Cos", layout=Layout.ANY)
def cos(_node: Node, x: Tensor) -> Tensor:
    """Cosine."""
    return tf.cos(x)


@op("Tan", layout=Layout.ANY)
def tan(_node: Node, x: Tensor) -> Tensor:
    """Tangent: TensorFlow Lite has no op for it, so sine over cosine."""
    return tf.sin(x) / tf.cos(x)


@op("Sinh", layout=Layout.ANY)
def sinh(_node: Node, x: Tensor) -> Tensor:
    """Hyperbolic sine."""
    return (tf.exp(x) - tf.exp(-x)) * _number(0.5, x)


@op("Cosh", layout=Layout.ANY)
def cosh(_node: Node, x: Tensor) -> Tensor:
    """Hyperbolic cosine."""
    return (tf.exp(x) + tf.exp(-x)) * _number(0.5, x)


@op("Asinh", layout=Layout.ANY)
def asinh(_node: Node, x: Tensor) -> Tensor:
    """Inverse hyperbolic sine, odd so that large negative x lose nothing."""
    size = tf.abs(x)
    return tf.sign(x) * tf.math.log(size + tf.sqrt(tf.square(size) + _number(1, x)))


@op("Acosh", layout=Layout.ANY)
def acosh(_node: Node, x: Tensor) -> Tensor:
    """Inverse hyperbolic cosine, x >= 1."""
    one = _number(1, x)
    return tf.math.log(x + tf.sqrt(x - one) * tf.sqrt(x + one))


@op("Atanh", layout=Layout.ANY)
def atanh(_node: Node, x: Tensor) -> Tensor:
    """Inverse hyperbolic tangent, |x| < 1."""
    one = _number(1, x)
    return _number(0.5, x) * tf.math.log((one + x) / (one - x))


@op("Atan", layout=Layout.ANY)
def atan(_node: Node, x: Tensor) -> Tensor:
    """Inverse tangent."""
    return arctangent(x)


@op("Asin", layout=Layout.ANY)
def asin(_node: Node, x: Tensor) -> Tensor:
    """Inverse sine, as 2 atan(x / (1 + sqrt(1 - x^2)))."""
    root = tf.sqrt((_number(1, x) - x) * (_number(1, x) + x))
    return _number(2, x) * arctangent(x / (_number(1, x) + root))


@op("Acos", layout=Layout.ANY)
def acos(_node: Node, x: Tensor) -> Tensor:
    """Inverse cosine: pi/2 minus the inverse sine."""
    return _number(np.pi / 2, x) - asin(_node, x)


@op("Erf", layout=Layout.ANY)
def erf(_node: Node, x: Tensor) -> Tensor:
    """Error function, as a rational function for float32.

    TensorFlow Lite has no op for it. Coefficients of the usual float32 minimax fit on [-4, 4], odd over
    even polynomial, as published in Eigen and XLA; beyond the range erf is +-1 in float32. Error < 4e-7.
    """
    dtype = tf.as_dtype(x.dtype)
    if not dtype.is_floating:
        return tf.cast(erf(_node, tf.cast(x, tf.float32)), dtype)
    if dtype == tf.float64:
        return tf.math.erf(x)
    z = tf.clip_by_value(tf.cast(x, tf.float32), np.float32(-4), np.float32(4))
    square = tf.square(z)
    top = [
        -2.72614225801306e-10,
        2.77068142495902e-08,
        -2.10102402082508e-06,
        -5.69250639462346e-05,
        -7.34990630326855e-04,
        -2.95459980854025e-03,
        -1.60960333262415e-02,
    ]
    bottom = [
        -1.45660718464996e-05,
        -2.13374055278905e-04,
        -1.68282697438203e-03,
        -7.37332916720468e-03,
        -1.42647390514189e-02,
    ]
    return tf.cast(z * _horner(square, top) / _horner(square, bottom), dtype)


@op("IsNaN", layout=Layout.ANY)
def is_nan(_node: Node, x: Tensor) -> Tensor:
    """Whether x is not a number."""
    return tf.not_equal(x, x)


@op("IsInf", layout=Layout.ANY)
def is_inf(node: Node, x: Tensor) -> Tensor:
    """Whether x is infinite (beyond the largest finite number); either sign can be left out."""
    largest = tf.constant(tf.as_dtype(x.dtype).max, x.dtype)
    found = []
    if node.attr("detect_positive", 1):
        found.append(tf.greater(x, largest))
    if node.attr("detect_negative", 1):
        found.append(tf.less(x, -largest))
    if not found:
        return tf.zeros_like(x, tf.bool)
    return found[0] if len(found) == 1 else tf.logical_or(*found)


@op("Not", layout=Layout.ANY)
def logical_not(_node: Node, x: Tensor) -> Tensor:
    """Not x."""
    return tf.logical_not(x)


@op("BitwiseNot", layout=Layout.ANY)
def bitwise_not(_node: Node, x: Tensor) -> Tensor:
    """All bits inverted."""
    return tf.bitwise.invert(x)


@op("Cast", layout=Layout.ANY)
def cast(node: Node, x: Tensor) -> Tensor:
    """x in another type: float to integer truncates, to bool is x != 0."""
    return convert(node, x, node.attr("to", 0))


@op("CastLike", layout=Layout.AWARE)
def cast_like(node: Node, x: Tensor, like: Tensor) -> Tensor:
    """x in the second operand's type."""
    return node.builder.call("Cast", [x], to=node.builder.onnx_type(like))


def convert(node: Node, x: Tensor, to: int) -> Tensor:
    """Cast to an ONNX element type."""
    source, target = tf.as_dtype(x.dtype), tf_dtype(node, to)
    if target == source:
        return tf.convert_to_tensor(x)
    if target == tf.bool:
        return tf.not_equal(x, tf.zeros([], source))
    if source.is_floating and target.is_integer and target.size < 4:
        x = tf.cast(x, tf.int32)
    return tf.cast(x, target)


def arctangent(x: Tensor) -> Tensor:
    """Inverse tangent by basic ops: TensorFlow Lite lacks Atan, coremltools lacks Atan2.

    Reduces to [0, tan(pi/8)] and uses the polynomial of the Cephes library (atanf), error < 2e-7 in float32.
    """
    dtype = tf.as_dtype(x.dtype)
    if dtype == tf.float64:
        return tf.atan(x)
    z = tf.abs(tf.cast(x, tf.float32))
    one = np.float32(1)
    big, middle = z > np.float32(2.414213562373095), z > np.float32(0.4142135623730950)
    reduced = tf.where(big, -one / tf.maximum(z, one), tf.where(middle, (z - one) / (z + one), z))
    start = tf.where(big, np.float32(np.pi / 2), tf.where(middle, np.float32(np.pi / 4), np.float32(0)))
    square = tf.square(reduced)
    poly = _horner(square, [8.05374449538e-2, -1.38776856032e-1, 1.99777106478e-1, -3.33329491539e-1])
    result = start + reduced + reduced * square * poly
    return tf.cast(tf.where(tf.cast(x, tf.float32) < np.float32(0), -result, result), dtype)


def _horner(x: Tensor, coefficients: list[float]) -> Tensor:
    result = np.float32(coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * x + np.float32(coefficient)
    return result


def _number(value: float, like: Tensor) -> Tensor:
    return np.asarray(value, tf.as_dtype(like.dtype).as_numpy_dtype)
