"""Pooling (MIL ops max_pool, avg_pool, l2_pool)."""

from __future__ import annotations

import numpy as np

from packager.runtimes.coreml.mil.ops.windows import Pads, Sizes, geometry, padding, per_dimension, runs
from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op


def _windows(
    x: Array, kernel_sizes: Ints, strides: Ints | None, pad_type: str, pad: Ints | None, ceil_mode: bool
) -> tuple[Sizes, Sizes, Pads, Pads]:
    """Kernel, strides, the declared padding, and the same with what ceil_mode reads behind it."""
    kernel = ints(kernel_sizes)
    stride = per_dimension(strides, len(kernel))
    given = None if pad is None else ints(pad)
    pads = padding(pad_type, given, kernel, stride, (1,) * len(kernel), x.shape[2:])
    if not ceil_mode:
        return kernel, stride, pads, pads
    longer = []
    for size, (before, after), taps, step in zip(x.shape[2:], pads, kernel, stride, strict=True):
        span = size + before + after - taps
        count = -(-span // step) + 1
        # The last window must begin inside the input or the padding before it.
        if (before or after) and (count - 1) * step >= size + before:
            count -= 1
        longer.append((before, after + max((count - 1) * step - span, 0)))
    return kernel, stride, pads, tuple(longer)


def _sums(x: Array, kernel: Sizes, strides: Sizes, pads: Pads) -> Array:
    shape = geometry(x.shape[2:], kernel, strides, (1,) * len(kernel), pads)
    if kernel == x.shape[2:] and not any(before or after for before, after in pads):
        # Global pooling: numpy's pairwise sum is faster, and more exact than a sum over taps.
        return x.sum(axis=tuple(range(2, x.ndim)), keepdims=True)
    taps = runs(x, shape)
    y = np.array(next(taps))
    for run in taps:
        y += run
    return np.ascontiguousarray(shape.cut(y, x.shape[:2]))


@op("max_pool", keeps_values=True)
def max_pool(
    x: Array,
    kernel_sizes: Ints,
    pad_type: str = "valid",
    *,
    strides: Ints | None = None,
    pad: Ints | None = None,
    ceil_mode: bool = False,
) -> Array:
    """x f[n, c, *d] -> f[n, c, *out]: maximum per window; padding never wins. MIL iOS15 `max_pool`."""
    kernel, stride, _, pads = _windows(x, kernel_sizes, strides, pad_type, pad, bool(ceil_mode))
    shape = geometry(x.shape[2:], kernel, stride, (1,) * len(kernel), pads)
    taps = runs(x, shape, -np.inf)
    y = np.array(next(taps))
    for run in taps:
        np.maximum(y, run, out=y)
    return np.ascontiguousarray(shape.cut(y, x.shape[:2]))


@op("avg_pool")
def avg_pool(
    x: Array,
    kernel_sizes: Ints,
    pad_type: str = "valid",
    *,
    strides: Ints | None = None,
    pad: Ints | None = None,
    exclude_padding_from_average: bool = False,
    ceil_mode: bool = False,
) -> Array:
    """x f[n, c, *d] -> f[n, c, *out]: mean per window. MIL iOS15 `avg_pool`.

    The divisor is the number of elements under the window: of the input with
    `exclude_padding_from_average`, else of input and declared padding. What ceil_mode adds behind the padding
    is never counted ("same as PyTorch's ceil mode").
    """
    kernel, stride, pads, longer = _windows(x, kernel_sizes, strides, pad_type, pad, bool(ceil_mode))
    total = _sums(x, kernel, stride, longer)
    if not any(before or after for before, after in longer):
        return total / np.float32(np.prod(kernel))
    counted = np.ones((1, 1, *x.shape[2:]), np.float32)
    if not exclude_padding_from_average:
        counted = np.pad(counted, ((0, 0), (0, 0), *pads), constant_values=1)
        longer = tuple((0, b - a) for (_, a), (_, b) in zip(pads, longer, strict=True))
    return total / _sums(counted, kernel, stride, longer)


@op("l2_pool")
def l2_pool(
    x: Array,
    kernel_sizes: Ints,
    pad_type: str = "valid",
    *,
    strides: Ints | None = None,
    pad: Ints | None = None,
    ceil_mode: bool = False,
) -> Array:
    """x f[n, c, *d] -> f[n, c, *out]: root of the sum of squares per window. MIL iOS15 `l2_pool`."""
    kernel, stride, _, pads = _windows(x, kernel_sizes, strides, pad_type, pad, bool(ceil_mode))
    return np.sqrt(_sums(x * x, kernel, stride, pads))
