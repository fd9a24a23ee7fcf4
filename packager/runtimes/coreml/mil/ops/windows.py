"""Sliding windows shared by convolution and pooling.

The input is copied once into one zero-padded plane per stride phase, each row flattened. A kernel's tap is then
a contiguous run of a plane at a fixed offset, whatever the rank, stride, dilation or padding; a few elements at
each row's end are computed in vain and cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import prod

import numpy as np
from numpy.lib.stride_tricks import as_strided

from packager.runtimes.coreml.mil.registry import Array, Ints, ints

Sizes = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def per_dimension(values: Ints | None, rank: int) -> Sizes:
    """Strides or dilations: the given vector, or ones."""
    return (1,) * rank if values is None else ints(values)


@lru_cache(maxsize=1024)
def padding(pad_type: str, pad: Sizes | None, kernel: Sizes, strides: Sizes, dilations: Sizes, spatial: Sizes) -> Pads:
    """(before, after) per spatial dimension for the MIL pad types valid, custom, same and same_lower.

    same: the output has ceil(size / stride) elements, and an odd element of padding goes after
    (same_lower: before).
    """
    if pad_type == "valid":
        return ((0, 0),) * len(kernel)
    if pad_type == "custom":
        flat = (0,) * (2 * len(kernel)) if pad is None else pad
        return tuple((flat[2 * i], flat[2 * i + 1]) for i in range(len(kernel)))
    if pad_type not in ("same", "same_lower"):
        raise ValueError(f"unknown pad_type {pad_type!r}")
    pads = []
    for size, taps, stride, dilation in zip(spatial, kernel, strides, dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        pads.append((small, large) if pad_type == "same" else (large, small))
    return tuple(pads)


@dataclass(frozen=True)
class Geometry:
    """Where each tap of a kernel finds its run of elements.

    `out`: output sizes. `grid`: sizes of a plane, the first may be exceeded by the buffer's `length`.
    `phases`: per plane, its target and source slices. `taps`: per tap, its plane and offset.
    """

    out: Sizes
    grid: Sizes
    length: int
    phases: tuple[tuple[tuple[slice, ...], tuple[slice, ...]], ...]
    taps: tuple[tuple[int, int], ...]

    @property
    def span(self) -> int:
        """Elements of a run: the output with each row as long as the grid's."""
        return self.out[0] * prod(self.grid[1:])

    def cut(self, flat: Array, lead: Sizes) -> Array:
        """flat [rows, span] -> view [*lead, *out] without the elements computed in vain."""
        whole = flat.reshape(*lead, self.out[0], *self.grid[1:])
        keep = tuple(slice(size) for size in self.out)
        return whole[(slice(None),) * len(lead) + keep]


@lru_cache(maxsize=1024)
def geometry(spatial: Sizes, kernel: Sizes, strides: Sizes, dilations: Sizes, pads: Pads) -> Geometry:
    """The geometry of a window over an input of sizes `spatial`. Raises ValueError if it does not fit."""
    dimensions = list(zip(spatial, kernel, strides, dilations, pads, strict=True))
    out = tuple((n + lo + hi - (k - 1) * d - 1) // s + 1 for n, k, s, d, (lo, hi) in dimensions)
    if not out or min(out) < 1:
        raise ValueError(f"a window of {kernel} does not fit into {spatial} with padding {pads}")
    grid = tuple(o + (k - 1) * d // s for o, (_, k, s, d, _) in zip(out, dimensions, strict=True))
    weights = [prod(grid[i + 1 :]) for i in range(len(grid))]
    planes: dict[Sizes, int] = {}
    taps = []
    for tap in product(*(range(size) for size in kernel)):
        reach = [position * d for position, d in zip(tap, dilations, strict=True)]
        phase = tuple(r % s for r, s in zip(reach, strides, strict=True))
        offset = sum(r // s * w for r, s, w in zip(reach, strides, weights, strict=True))
        taps.append((planes.setdefault(phase, len(planes)), offset))
    length = max(prod(grid), max(offset for _, offset in taps) + out[0] * prod(grid[1:]))
    phases = tuple(_slices(phase, spatial, grid, strides, pads) for phase in planes)
    return Geometry(out, grid, length, phases, tuple(taps))


def _slices(
    phase: Sizes, spatial: Sizes, grid: Sizes, strides: Sizes, pads: Pads
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Which elements of a plane hold input (all others are padding), and which elements of the input."""
    target, source = [], []
    for shift, size, count, stride, (before, _) in zip(phase, spatial, grid, strides, pads, strict=True):
        first = max(0, -(-(before - shift) // stride))
        last = max(first, min(count, -(-(size + before - shift) // stride)))
        start = first * stride + shift - before
        target.append(slice(first, last))
        source.append(slice(start, start + (last - first) * stride, stride))
    return tuple(target), tuple(source)


class Windows:
    """The taps of a window over inputs of one shape, side by side; the work space is kept between calls."""

    def __init__(self, x_shape: Sizes, shape: Geometry) -> None:
        self.x_shape, self.geometry = x_shape, shape
        self._rows = x_shape[0] * x_shape[1]
        self._plain = len(shape.taps) == 1 and shape.grid == x_shape[2:]
        if self._plain:
            return
        # Padding is written once; each call overwrites the rest.
        self._planes = [np.zeros((self._rows, shape.length), np.float32) for _ in shape.phases]
        self._columns = np.empty((self._rows, len(shape.taps), shape.span), np.float32)
        grids = [plane[:, : prod(shape.grid)].reshape(self._rows, *shape.grid) for plane in self._planes]
        self._fill = [(g[(slice(None), *into)], take) for g, (into, take) in zip(grids, shape.phases, strict=True)]
        self._copies = list(self._blocks())

    def _blocks(self) -> Iterator[tuple[Array, Array]]:
        """(columns, view of a plane) to copy: taps of one plane whose offsets rise evenly go together."""
        taps, span, first = self.geometry.taps, self.geometry.span, 0
        while first < len(taps):
            last, plane = first + 1, taps[first][0]
            step = taps[last][1] - taps[first][1] if last < len(taps) else 0
            while last < len(taps) and taps[last] == (plane, taps[first][1] + (last - first) * step) and step > 0:
                last += 1
            rows, item = self._planes[plane].strides
            start = self._planes[plane][:, taps[first][1] :]
            shape = (self._rows, last - first, span)
            yield self._columns[:, first:last], as_strided(start, shape, (rows, step * item, item), writeable=False)
            first = last

    def columns(self, x: Array) -> Array:
        """x[n, c, *d] -> [n * c, taps, span]; valid until the next call."""
        if self._plain:
            return x.reshape(self._rows, 1, -1)
        source = x.reshape(self._rows, *self.x_shape[2:])
        for grid, take in self._fill:
            grid[...] = source[(slice(None), *take)]
        for columns, view in self._copies:
            np.copyto(columns, view)
        return self._columns


class ChannelsLast:
    """Depthwise sums over 2-D windows of inputs of one shape, with channels last in memory."""

    def __init__(
        self, x_shape: Sizes, weight: Array, out: Sizes, strides: Sizes, dilations: Sizes, begins: tuple[int, int]
    ) -> None:
        self.x_shape = x_shape
        batch, channels, *sizes = x_shape
        kernel = weight.shape[2:]
        grid = [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in zip(out, strides, kernel, dilations, strict=True)]
        self._weight = np.ascontiguousarray(weight[:, 0].transpose(1, 2, 0))
        # Padding is written once; each call overwrites the rest.
        plane = np.zeros((batch, *grid, channels), np.float32)
        taken = [max(min(n, g - lo), 0) for n, g, lo in zip(sizes, grid, begins, strict=True)]
        self._take = (slice(None), slice(None), slice(taken[0]), slice(taken[1]))
        self._fill = plane[:, begins[0] : begins[0] + taken[0], begins[1] : begins[1] + taken[1]]
        n, row, column, item = plane.strides
        reach = (row * dilations[0], column * dilations[1], n, row * strides[0], column * strides[1], item)
        self._view = as_strided(plane, (*kernel, batch, *out, channels), reach, writeable=False)

    def weigh(self, x: Array) -> Array:
        """x f[n, c, h, w] -> f[n, h_out, w_out, c]."""
        self._fill[...] = x[self._take].transpose(0, 2, 3, 1)
        result: Array = np.einsum("yxc,yxnhwc->nhwc", self._weight, self._view)
        return result


def runs(x: Array, shape: Geometry, fill: float = 0.0) -> Iterator[Array]:
    """The run of each tap, in order: [rows, span], rows being batch times channels of x[n, c, *d]."""
    rows = x.shape[0] * x.shape[1]
    source = x.reshape(rows, *x.shape[2:])
    planes = []
    for into, take in shape.phases:
        size = (rows, shape.length)
        plane = np.zeros(size, x.dtype) if fill == 0 else np.full(size, fill, x.dtype)
        grid = plane[:, : prod(shape.grid)].reshape(rows, *shape.grid)
        grid[(slice(None), *into)] = source[(slice(None), *take)]
        planes.append(plane)
    span = shape.span
    for index, offset in shape.taps:
        yield planes[index][:, offset : offset + span]
