"""Ops that make tensors, order them, or work along one axis."""

from __future__ import annotations

from math import ceil

import numpy as np

from packager.runtimes.coreml.mil.registry import Array, Ints, Result, ints, op


@op("fill")
def fill(shape: Ints, value: Array | None = None) -> Array:
    """-> [shape] of `value` (default 0.0). MIL iOS15 `fill`."""
    return np.full(ints(shape), np.float32(0) if value is None else value)


@op("fill_like")
def fill_like(ref_tensor: Array, value: Array | None = None) -> Array:
    """ref_tensor [*] -> [*] of `value` (default 0.0). MIL iOS16 `fill_like`."""
    return fill(ref_tensor.shape, value)


@op("range_1d")
def range_1d(start: Array, end: Array, step: Array) -> Array:
    """Scalars -> [ceil((end - start) / step)], start + i * step. MIL iOS15 `range_1d`."""
    count = max(0, ceil((float(end) - float(start)) / float(step)))
    dtype = np.asarray(start).dtype
    return np.asarray(start + np.arange(count).astype(dtype) * step, dtype)


@op("one_hot")
def one_hot(
    indices: Array,
    one_hot_vector_size: int,
    axis: int = -1,
    on_value: Array | None = None,
    off_value: Array | None = None,
) -> Array:
    """indices i[*d] -> [*d] with a new `axis`, on_value at the index, else off_value. MIL iOS15 `one_hot`.

    An index outside of the size gives off_value everywhere.
    """
    rank = np.ndim(indices) + 1
    shape = [1] * rank
    shape[int(axis)] = int(one_hot_vector_size)
    hot = np.expand_dims(indices, int(axis)) == np.arange(int(one_hot_vector_size)).reshape(shape)
    on = np.int32(1) if on_value is None else on_value
    return np.where(hot, on, np.int32(0) if off_value is None else off_value)


@op("non_zero")
def non_zero(x: Array) -> Array:
    """x [*] -> int32[n, rank], the index of each element that is not 0. MIL iOS15 `non_zero`."""
    return np.argwhere(x).astype(np.int32)


@op("band_part", keeps_values=True)
def band_part(x: Array, lower: int = -1, upper: int = -1) -> Array:
    """x [*, m, n] -> zero outside a band of `lower` and `upper` diagonals (-1: all). MIL iOS15 `band_part`."""
    below = np.subtract.outer(np.arange(x.shape[-2]), np.arange(x.shape[-1]))
    inside = np.ones(below.shape, bool)
    if int(lower) >= 0:
        inside &= below <= int(lower)
    if int(upper) >= 0:
        inside &= -below <= int(upper)
    return np.where(inside, x, np.zeros((), x.dtype))


@op("cumsum")
def cumsum(x: Array, axis: int = 0, exclusive: bool = False, reverse: bool = False) -> Array:
    """x number[*] -> running sum along `axis`, without the element itself if exclusive. MIL iOS15 `cumsum`."""
    axis = int(axis)
    forward = np.flip(x, axis) if reverse else x
    total = np.cumsum(forward, axis=axis, dtype=x.dtype)
    if exclusive:
        total = np.roll(total, 1, axis=axis)
        np.moveaxis(total, axis, 0)[:1] = 0
    return np.flip(total, axis) if reverse else total


def _order(x: Array, axis: int, ascending: bool) -> Array:
    """Indices that sort x; equal elements stay in their order."""
    wide = x.astype(np.float64)
    return np.argsort(wide if ascending else -wide, axis=axis, kind="stable")


@op("argsort")
def argsort(x: Array, axis: int = -1, ascending: bool = False) -> Array:
    """x number[*] -> int32[*], indices that sort along `axis`. MIL iOS15 `argsort`."""
    return _order(x, int(axis), bool(ascending)).astype(np.int32)


@op("topk")
def topk(
    x: Array,
    k: int = 1,
    axis: int = -1,
    ascending: bool = False,
    *,
    sort: bool = True,  # noqa: ARG001 - sorted results are right for both
    return_indices: bool = True,
    output_indices_dtype: str = "int32",
) -> Result:
    """x number[*] -> the k largest (ascending: smallest) along `axis`, and their indices. MIL iOS17 `topk`.

    k = -1 takes all.
    """
    axis = int(axis)
    count = x.shape[axis] if int(k) == -1 else int(k)
    if count > x.shape[axis]:
        raise ValueError(f"k = {count} is more than {x.shape[axis]}")
    indices = np.take(_order(x, axis, bool(ascending)), np.arange(count), axis=axis)
    values = np.take_along_axis(x, indices, axis=axis)
    return (values, indices.astype(output_indices_dtype)) if return_indices else values
