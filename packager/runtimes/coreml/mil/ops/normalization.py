"""Normalisations (MIL ops batch_norm, instance_norm, layer_norm, l2_norm, local_response_norm)."""

from __future__ import annotations

import numpy as np

from packager.runtimes.coreml.mil.errors import UnsupportedOp
from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op


def _per_channel(values: Array, x: Array) -> Array:
    return values.reshape((1, -1) + (1,) * (x.ndim - 2))


def _standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """(x - mean) / sqrt(variance + epsilon) over `axes`."""
    centred = x - x.mean(axis=axes, keepdims=True)
    variance = np.square(centred).mean(axis=axes, keepdims=True)
    return centred / np.sqrt(variance + np.float32(epsilon))


@op("batch_norm")
def batch_norm(
    x: Array,
    mean: Array,
    variance: Array,
    *,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """x f[n, c, *d], the rest f[c] -> gamma * (x - mean) / sqrt(variance + epsilon) + beta.

    MIL iOS15 `batch_norm`; computed as one scale and one offset per channel.
    """
    scale = 1 / np.sqrt(variance + np.float32(epsilon))
    if gamma is not None:
        scale = scale * gamma
    offset = -mean * scale if beta is None else beta - mean * scale
    return x * _per_channel(scale, x) + _per_channel(offset, x)


@op("instance_norm")
def instance_norm(x: Array, gamma: Array | None = None, beta: Array | None = None, epsilon: float = 1e-5) -> Array:
    """x f[n, c, *d], gamma and beta f[c] -> standardised per sample and channel. MIL iOS15 `instance_norm`."""
    y = _standardised(x, tuple(range(2, x.ndim)), epsilon)
    if gamma is not None:
        y = y * _per_channel(gamma, x)
    return y if beta is None else y + _per_channel(beta, x)


@op("layer_norm")
def layer_norm(
    x: Array,
    axes: Ints | None = None,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """x f[*], gamma and beta of the shape of `axes` -> standardised over `axes`. MIL iOS15 `layer_norm`."""
    over = tuple(range(x.ndim)) if axes is None else tuple(sorted(axis % x.ndim for axis in ints(axes)))
    shape = [size if axis in over else 1 for axis, size in enumerate(x.shape)]
    y = _standardised(x, over, epsilon)
    if gamma is not None:
        y = y * gamma.reshape(shape)
    return y if beta is None else y + beta.reshape(shape)


@op("l2_norm")
def l2_norm(x: Array, epsilon: float = 1e-6) -> Array:
    """x f[*b, c, h, w] -> x / sqrt(sum of squares over the last three + epsilon). MIL iOS15 `l2_norm`."""
    total = np.square(x).sum(axis=(-3, -2, -1), keepdims=True)
    return x / np.sqrt(total + np.float32(epsilon))


@op("local_response_norm")
def local_response_norm(x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Array:
    """x f[n, c, *d] -> x / (k + alpha / size * sum of squares of `size` channels) ** beta.

    MIL iOS15 `local_response_norm`. The window is centred, so an even size is refused.
    """
    size = int(size)
    if size % 2 == 0:
        raise UnsupportedOp("local_response_norm", reason="an even window has no centre")
    squares, radius = np.square(x), size // 2
    total = np.zeros_like(squares)
    for shift in range(-radius, radius + 1):
        to = slice(max(0, -shift), x.shape[1] - max(0, shift))
        source = slice(max(0, shift), x.shape[1] - max(0, -shift))
        if abs(shift) < x.shape[1]:
            total[:, to] += squares[:, source]
    scale = np.power(np.float32(k) + np.float32(alpha / size) * total, np.float32(beta))
    return x / scale
