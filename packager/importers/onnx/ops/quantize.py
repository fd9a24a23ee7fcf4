"""Quantised tensors, computed in float32: what a rounded value is stays exact, sums are exact below 2^24."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from onnx import TensorProto

from packager.importers.onnx.dtypes import tf_dtype
from packager.importers.onnx.node import Node
from packager.importers.onnx.ops.conv import as_value, conv, less_zero
from packager.importers.onnx.ops.linear import product
from packager.importers.onnx.registry import Layout, op
from packager.importers.onnx.values import Operand, Tensor, Value, arrange, static_shape


def _spread(node: Node, parameter: Any, x: Any, *, last: bool, default_axis: int = 1) -> Any:
    """Return a scale or zero point so that it broadcasts to x: per tensor, per axis or blocked."""
    if len(parameter.shape) == 0 or static_shape(parameter) == (1,):
        return parameter.reshape(()) if isinstance(parameter, np.ndarray) else tf.reshape(parameter, [])
    rank = len(x.shape)
    axis = node.attr("axis", default_axis) % rank
    block = node.attr("block_size", 0)
    if block:
        repeat = np.repeat if isinstance(parameter, np.ndarray) else tf.repeat
        parameter = repeat(parameter, block, axis=axis)
        return parameter[(slice(None),) * axis + (slice(0, x.shape[axis]),)]
    shape = [-1 if i == axis else 1 for i in range(rank)]
    wide = parameter.reshape(shape) if isinstance(parameter, np.ndarray) else tf.reshape(parameter, shape)
    return arrange(wide if isinstance(wide, np.ndarray) else Value(first=wide), rank, last=last)


def _limits(node: Node, elem_type: int) -> tuple[Any, float, float]:
    dtype = tf_dtype(node, elem_type)
    if not dtype.is_integer:
        node.refuse("quantisation to floats")
    return dtype, float(dtype.min), float(dtype.max)


@op("QuantizeLinear", layout=Layout.AWARE)
def quantize_linear(node: Node, x: Operand, scale: Operand, zero: Operand = None) -> Any:
    """clamp(round-half-even(x / scale) + zero point).

    A DequantizeLinear right behind reads the rounded floats, so no integer tensor is left between them.
    """
    value = as_value(x)
    if zero is not None:
        wanted = node.builder.onnx_type(zero)
    else:
        wanted = node.attr("output_dtype", 0) or int(TensorProto.UINT8)
    dtype, low, high = _limits(node, wanted)
    last = value.only_last and not node.attr("block_size", 0)
    tensor = value.last() if last else value.first()
    inner = tf.float32 if tensor.dtype.size < 4 or not tensor.dtype.is_floating else tensor.dtype
    step = _as(_spread(node, _plain(scale), value, last=last), inner)
    levels = tf.round(_as(tensor, inner) / step)
    if zero is not None:
        levels = levels + _as(_spread(node, _plain(zero), value, last=last), inner)
    levels = tf.clip_by_value(levels, tf.constant(low, inner), tf.constant(high, inner))
    stored = tf.cast(levels, dtype)
    result = Value(last=stored) if last else Value(first=stored)
    result.levels = Value(last=levels) if last else Value(first=levels)
    return result


@op("DequantizeLinear", layout=Layout.AWARE)
def dequantize_linear(node: Node, x: Operand, scale: Operand, zero: Operand = None) -> Any:
    """(x - zero point) * scale, in the scale's type."""
    assert x is not None and scale is not None
    kind = tf.as_dtype(scale.dtype)
    last = isinstance(x, Value) and x.only_last and not node.attr("block_size", 0)
    source: Any = x.levels if isinstance(x, Value) and x.levels is not None else x
    tensor = source if isinstance(source, np.ndarray) else source.last() if last else source.first()
    y = _as(tensor, kind)
    if zero is not None:
        y = y - _as(_spread(node, _plain(zero), x, last=last), kind)
    y = y * _spread(node, _plain(scale), x, last=last)
    if isinstance(y, np.ndarray):
        return y.astype(kind.as_numpy_dtype)
    return Value(last=y) if last else y


@op("DynamicQuantizeLinear")
def dynamic_quantize(_node: Node, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """uint8 with scale and zero point from the tensor's own range, which includes 0."""
    zero, top = tf.zeros([], x.dtype), tf.constant(255, x.dtype)
    low, high = tf.minimum(tf.reduce_min(x), zero), tf.maximum(tf.reduce_max(x), zero)
    scale = (high - low) / top
    offset = tf.round(tf.clip_by_value(zero - low / scale, zero, top))
    y = tf.clip_by_value(tf.round(x / scale) + offset, zero, top)
    return tf.cast(y, tf.uint8), scale, tf.cast(offset, tf.uint8)


@op("MatMulInteger")
def matmul_integer(_node: Node, a: Tensor, b: Tensor, a_zero: Tensor = None, b_zero: Tensor = None) -> Tensor:
    """Product of 8-bit matrices as int32; zero points per tensor, per row of a, per column of b."""
    left = less_zero(a, a_zero, axis=len(a.shape) - 2)
    right = less_zero(b, b_zero, axis=len(b.shape) - 1)
    return tf.cast(product(left, right), tf.int32)


@op("QLinearMatMul")
def qlinear_matmul(
    node: Node,
    a: Tensor,
    a_scale: Tensor,
    a_zero: Tensor,
    b: Tensor,
    b_scale: Tensor,
    b_zero: Tensor,
    y_scale: Tensor,
    y_zero: Tensor,
) -> Tensor:
    """Product of quantised matrices, requantised."""
    left = less_zero(a, a_zero, axis=len(a.shape) - 2)
    right = less_zero(b, b_zero, axis=len(b.shape) - 1)
    scale = _as(a_scale, tf.float32) * _as(b_scale, tf.float32) / _as(y_scale, tf.float32)
    return _requantise(node, product(left, right) * scale, y_zero)


@op("QLinearConv", layout=Layout.AWARE)
def qlinear_conv(
    node: Node,
    x: Operand,
    x_scale: Operand,
    x_zero: Operand,
    w: Operand,
    w_scale: Operand,
    w_zero: Operand,
    y_scale: Operand,
    y_zero: Operand,
    bias: Operand = None,
) -> Value:
    """Convolution of quantised tensors, requantised; weights per tensor or per output channel."""
    left = less_zero(as_value(x).first(), _plain(x_zero))
    right = less_zero(_plain(w), _plain(w_zero), axis=0)
    y = conv(node, Value(first=left), right).last()
    if bias is not None:
        y = y + _as(_plain(bias), tf.float32)
    scale = _as(_plain(x_scale), tf.float32) * _as(_plain(w_scale), tf.float32) / _as(_plain(y_scale), tf.float32)
    return Value(last=_requantise(node, y * scale, _plain(y_zero)))


def _requantise(node: Node, y: Tensor, zero: Tensor) -> Tensor:
    dtype, low, high = _limits(node, node.builder.onnx_type(zero))
    return tf.cast(tf.clip_by_value(tf.round(y) + _as(zero, tf.float32), low, high), dtype)


def _plain(x: Operand) -> Any:
    return x.first() if isinstance(x, Value) else x


def _as(x: Any, dtype: Any) -> Any:
    return x.astype(dtype.as_numpy_dtype) if isinstance(x, np.ndarray) else tf.cast(x, dtype)
