"""Reductions. `axes` may be negative; left out it means all. The result keeps the input's dtype."""

from __future__ import annotations

import numpy as np

from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op


def _axes(axes: Ints | None) -> tuple[int, ...] | None:
    return None if axes is None else ints(axes)


@op("reduce_sum")
def reduce_sum(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> sum over `axes`. MIL iOS15 `reduce_sum`."""
    return np.asarray(np.sum(x, axis=_axes(axes), keepdims=bool(keep_dims), dtype=x.dtype))


@op("reduce_mean")
def reduce_mean(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> mean over `axes`, in x's dtype (integers: towards zero). MIL iOS15 `reduce_mean`."""
    mean = np.asarray(np.mean(x, axis=_axes(axes), keepdims=bool(keep_dims)))
    return mean.astype(x.dtype)


@op("reduce_max")
def reduce_max(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> maximum over `axes`. MIL iOS15 `reduce_max`."""
    return np.asarray(np.max(x, axis=_axes(axes), keepdims=bool(keep_dims)))


@op("reduce_min")
def reduce_min(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> minimum over `axes`. MIL iOS15 `reduce_min`."""
    return np.asarray(np.min(x, axis=_axes(axes), keepdims=bool(keep_dims)))


@op("reduce_prod")
def reduce_prod(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> product over `axes`. MIL iOS15 `reduce_prod`."""
    return np.asarray(np.prod(x, axis=_axes(axes), keepdims=bool(keep_dims), dtype=x.dtype))


@op("reduce_sum_square")
def reduce_sum_square(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> sum of squares over `axes`. MIL iOS15 `reduce_sum_square`."""
    return reduce_sum(np.square(x), axes, keep_dims)


@op("reduce_l1_norm")
def reduce_l1_norm(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> sum of magnitudes over `axes`. MIL iOS15 `reduce_l1_norm`."""
    return reduce_sum(np.abs(x), axes, keep_dims)


@op("reduce_l2_norm")
def reduce_l2_norm(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> root of the sum of squares over `axes`. MIL iOS15 `reduce_l2_norm`."""
    return np.sqrt(reduce_sum_square(x, axes, keep_dims)).astype(x.dtype)


@op("reduce_log_sum")
def reduce_log_sum(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> log of the sum over `axes`. MIL iOS15 `reduce_log_sum`."""
    return np.log(reduce_sum(x, axes, keep_dims)).astype(x.dtype)


@op("reduce_log_sum_exp")
def reduce_log_sum_exp(x: Array, axes: Ints | None = None, keep_dims: bool = False) -> Array:
    """x number[*] -> log of the sum of e^x over `axes`, without overflow. MIL iOS15 `reduce_log_sum_exp`."""
    over = _axes(axes)
    peak = np.max(x, axis=over, keepdims=True)
    total = np.log(np.sum(np.exp(x - peak), axis=over, keepdims=True)) + peak
    return np.asarray(total if keep_dims else np.squeeze(total, axis=over)).astype(x.dtype)


@op("reduce_argmax")
def reduce_argmax(x: Array, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32") -> Array:
    """x number[*] -> int[*], index of the (first) maximum along `axis`. MIL iOS17 `reduce_argmax`."""
    return np.argmax(x, axis=int(axis), keepdims=bool(keep_dims)).astype(output_dtype)


@op("reduce_argmin")
def reduce_argmin(x: Array, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32") -> Array:
    """x number[*] -> int[*], index of the (first) minimum along `axis`. MIL iOS17 `reduce_argmin`."""
    return np.argmin(x, axis=int(axis), keepdims=bool(keep_dims)).astype(output_dtype)
