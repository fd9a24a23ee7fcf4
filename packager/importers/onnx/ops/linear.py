"""Matrix products."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import wide
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import op
from packager.importers.onnx.values import Tensor


@op("MatMul")
def matmul(_node: Node, a: Tensor, b: Tensor) -> Tensor:
    """numpy's matmul: batch axes broadcast, vectors count as a row or a column."""
    return product(a, b)


def product(a: Tensor, b: Tensor) -> Tensor:
    """Return numpy's matmul of two tensors."""
    row, column = len(a.shape) == 1, len(b.shape) == 1
    if row:
        a = tf.expand_dims(a, 0)
    if column:
        b = tf.expand_dims(b, 1)
    y = wide(tf.matmul, a, b)
    if row and column:
        return tf.reshape(y, [])
    return tf.squeeze(y, -1) if column else tf.squeeze(y, -2) if row else y


@op("Gemm")
def gemm(node: Node, a: Tensor, b: Tensor, c: Tensor = None) -> Tensor:
    """alpha A B + beta C, with either matrix transposed."""
    alpha, beta = node.attr("alpha", 1.0), node.attr("beta", 1.0)
    if node.attr("transB", 0):
        b = np.ascontiguousarray(b.T) if isinstance(b, np.ndarray) else tf.transpose(b)
    if node.attr("transA", 0):
        a = tf.transpose(a)
    y = wide(tf.matmul, a, b)
    if alpha != 1:
        y = y * tf.cast(alpha, y.dtype)
    if c is None:
        return y
    if beta != 1:
        c = c * np.asarray(beta, tf.as_dtype(c.dtype).as_numpy_dtype)
    if len(c.shape) == 2 and c.shape[0] == 1 and c.shape[1] is not None:
        # TensorFlow joins product and sum where it pleases, and then takes a bias of one axis only.
        c = c.reshape(-1) if isinstance(c, np.ndarray) else tf.reshape(c, [c.shape[1]])
    return wide(tf.add, y, c)


@op("Einsum")
def einsum(node: Node, *tensors: Tensor) -> Tensor:
    """Sum of products in index notation."""
    equation = node.attr("equation", "").replace(" ", "")
    if "->" not in equation:
        terms = equation.replace("...", "").replace(",", "")
        once = "".join(sorted(letter for letter in set(terms) if terms.count(letter) == 1))
        equation = f"{equation}->{'...' if '...' in equation else ''}{once}"
    return tf.einsum(equation, *tensors)
