"""Matrix products (MIL ops linear, matmul, einsum)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from packager.runtimes.coreml.mil.ops.activation import softmax
from packager.runtimes.coreml.mil.registry import Array, op


@op("linear")
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x f[*, d_in], weight f[d_out, d_in], bias f[d_out] -> f[*, d_out]. MIL iOS15 `linear`."""
    y = np.matmul(x, weight.T)
    return y if bias is None else y + bias


@op("matmul")
def matmul(x: Array, y: Array, transpose_x: bool = False, transpose_y: bool = False) -> Array:
    """x [*, m, k], y [*, k, n] -> [*, m, n], batch dimensions broadcast. MIL iOS15 `matmul`.

    Transposing swaps the last two dimensions; it has no effect on a vector.
    """
    left = np.swapaxes(x, -1, -2) if transpose_x and np.ndim(x) > 1 else x
    right = np.swapaxes(y, -1, -2) if transpose_y and np.ndim(y) > 1 else y
    return np.matmul(left, right)


@op("einsum")
def einsum(values: Sequence[Array], equation: str) -> Array:
    """Arrays and an equation such as "bchw,bkhc->bkhw" -> their contraction. MIL iOS15 `einsum`."""
    result: Array = np.einsum(equation, *values, optimize=True)
    return result


@op("scaled_dot_product_attention")
def scaled_dot_product_attention(query: Array, key: Array, value: Array, attn_mask: Array | None = None) -> Array:
    """query f[b, *, l, e], key f[b, *, s, e], value f[b, *, s, v] -> f[b, *, l, v]. MIL iOS18 op of that name.

    softmax(query @ key.T / sqrt(e) + mask) @ value; a boolean mask tells which elements take part.
    """
    scores = np.matmul(query, np.swapaxes(key, -1, -2)) / np.float32(np.sqrt(query.shape[-1]))
    if attn_mask is not None:
        scores = np.where(attn_mask, scores, -np.inf) if attn_mask.dtype == bool else scores + attn_mask
    return np.matmul(softmax(scores.astype(np.float32)), value)
