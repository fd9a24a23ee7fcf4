"""Gathers and scatters. Since iOS17 (`validate_indices` is given) negative indices are out of bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from packager.runtimes.coreml.mil.registry import Array, op

_COMBINE: dict[str, np.ufunc] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "max": np.maximum,
    "min": np.minimum,
}


def _checked(indices: Array, sizes: Any, validate: bool | None) -> Array:
    """Indices as int64; raises IndexError where one lies outside `sizes` (a size, or one per last element)."""
    wide = np.asarray(indices).astype(np.int64)
    lowest = -np.asarray(sizes) if validate is None else 0
    if np.any(wide < lowest) or np.any(wide >= sizes):
        raise IndexError(f"an index lies outside of {sizes}")
    return wide


def _combine(data: Array, index: Any, updates: Array, mode: str) -> Array:
    """A copy of `data` with `updates` put in, or combined one by one, at `index`."""
    result = np.array(data)
    if mode == "update":
        result[index] = updates
    elif mode in _COMBINE:
        _COMBINE[mode].at(result, index, updates)
    else:
        raise ValueError(f"unknown mode {mode!r}")
    return result


@op("gather", keeps_values=True)
def gather(
    x: Array,
    indices: Array,
    axis: int = 0,
    *,
    batch_dims: int = 0,
    validate_indices: bool | None = None,
) -> Array:
    """x [*d], indices i[*n] -> [*d[:axis], *n[batch_dims:], *d[axis + 1:]]. MIL iOS15 to iOS17 `gather`."""
    axis, batch = int(axis) % np.ndim(x), int(batch_dims)
    wide = _checked(indices, x.shape[axis], validate_indices)
    if batch == 0:
        return np.take(x, wide, axis=axis)
    lead = x.shape[:batch]
    rows = zip(x.reshape(-1, *x.shape[batch:]), wide.reshape(-1, *wide.shape[batch:]), strict=True)
    taken = np.stack([np.take(row, index, axis=axis - batch) for row, index in rows])
    return taken.reshape(*lead, *taken.shape[1:])


@op("gather_along_axis", keeps_values=True)
def gather_along_axis(x: Array, indices: Array, axis: int = 0, validate_indices: bool | None = None) -> Array:
    """x [*d], indices i[*k] of the same rank -> [*k], x taken along `axis`. MIL iOS15 `gather_along_axis`."""
    axis = int(axis)
    return np.take_along_axis(x, _checked(indices, x.shape[axis], validate_indices), axis=axis)


@op("gather_nd", keeps_values=True)
def gather_nd(x: Array, indices: Array, batch_dims: int = 0, validate_indices: bool | None = None) -> Array:
    """x [*d], indices i[*k, m] -> [*k, *d[batch_dims + m:]], each last row one index. MIL iOS16 `gather_nd`."""
    batch, depth = int(batch_dims), indices.shape[-1]
    wide = _checked(indices, x.shape[batch : batch + depth], validate_indices)
    lead = [np.arange(size).reshape((-1,) + (1,) * (wide.ndim - 2 - i)) for i, size in enumerate(x.shape[:batch])]
    return np.asarray(x[(*lead, *np.moveaxis(wide, -1, 0))])


@op("scatter")
def scatter(
    data: Array,
    indices: Array,
    updates: Array,
    axis: int = 0,
    *,
    mode: str = "add",
    validate_indices: bool | None = None,
) -> Array:
    """data [*d], indices i[n], updates [*d[:axis], n, *d[axis + 1:]] -> [*d]. MIL iOS15 `scatter`.

    Modes: update (for equal indices the last one stays), add, sub, mul, div, max, min.
    """
    axis = int(axis) % data.ndim
    wide = _checked(indices, data.shape[axis], validate_indices)
    return _combine(data, (slice(None),) * axis + (wide,), updates, mode)


@op("scatter_along_axis")
def scatter_along_axis(
    data: Array,
    indices: Array,
    updates: Array,
    axis: int = 0,
    *,
    mode: str = "add",
    validate_indices: bool | None = None,
) -> Array:
    """data [*d], indices i[*k] and updates [*k] of the same rank -> [*d]. MIL iOS15 `scatter_along_axis`."""
    axis = int(axis) % data.ndim
    wide = _checked(indices, data.shape[axis], validate_indices)
    places = list(np.ogrid[tuple(slice(size) for size in wide.shape)])
    places[axis] = wide
    return _combine(data, tuple(places), updates, mode)


@op("scatter_nd")
def scatter_nd(
    data: Array,
    indices: Array,
    updates: Array,
    mode: str = "add",
    validate_indices: bool | None = None,
) -> Array:
    """data [*d], indices i[*k, m], updates [*k, *d[m:]] -> [*d]. MIL iOS15 `scatter_nd`."""
    wide = _checked(indices, data.shape[: indices.shape[-1]], validate_indices)
    return _combine(data, tuple(np.moveaxis(wide, -1, 0)), updates, mode)
