"""Convolutions (MIL ops conv, conv_transpose)."""

from __future__ import annotations

from math import prod

import numpy as np

from packager.runtimes.coreml.mil.ops.windows import (
    ChannelsLast,
    Geometry,
    Sizes,
    Windows,
    geometry,
    padding,
    per_dimension,
)
from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op, prepares


def _add_bias(y: Array, bias: Array | None) -> Array:
    """y[n, c, *d], made by the caller, contiguous and with bias[c] added in place."""
    y = np.ascontiguousarray(y)
    if bias is not None:
        y += bias.reshape((1, -1) + (1,) * (y.ndim - 2))
    return y


@op("conv")
def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    strides: Ints | None = None,
    pad_type: str = "valid",
    pad: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> Array:
    """x f[n, c_in, *d], weight f[c_out, c_in / groups, *k], bias f[c_out] -> f[n, c_out, *out], 1-D to 3-D.

    MIL iOS15 `conv`: a correlation; `pad` is (before, after) per spatial dimension.
    """
    made = Convolution(weight, bias, strides=strides, pad_type=pad_type, pad=pad, dilations=dilations, groups=groups)
    return made(x)


@prepares("conv")
class Convolution:
    """A convolution whose weights and settings are known. Geometry and work space are kept for the last input shape.

    im2col and one matrix product per sample and group. A depthwise one of many channels on a small image, and a
    pointwise one of what it gives, keep channels last in memory: there the inner loops run over channels.
    """

    def __init__(
        self,
        weight: Array,
        bias: Array | None = None,
        *,
        strides: Ints | None = None,
        pad_type: str = "valid",
        pad: Ints | None = None,
        dilations: Ints | None = None,
        groups: int = 1,
    ) -> None:
        self.rank, self.kernel, self.groups = weight.ndim - 2, weight.shape[2:], int(groups)
        self.strides, self.dilations = per_dimension(strides, self.rank), per_dimension(dilations, self.rank)
        self.pad_type, self.pad = pad_type, None if pad is None else ints(pad)
        self.filters, self.channels = weight.shape[0], weight.shape[1]
        self.fits = self.filters % self.groups == 0
        self.matrix = weight.reshape(self.groups, self.filters // self.groups, -1) if self.fits else weight
        self.weight, self.bias = weight, bias
        self.pointwise = self.groups == 1 and prod(self.kernel) == 1 and set(self.strides) == {1}
        self.pointwise = self.pointwise and self.rank == 2 and (pad_type != "custom" or not any(self.pad or ()))
        self.depthwise = self.rank == 2 and self.channels == 1 and self.filters == self.groups > 1
        self.work: Windows | ChannelsLast | None = None

    def __call__(self, x: Array) -> Array:
        """x f[n, c_in, *d] -> f[n, c_out, *out]."""
        if self.channels * self.groups != x.shape[1] or not self.fits:
            held = (self.filters, self.channels, *self.kernel)
            raise ValueError(f"weight {held} with {self.groups} groups does not fit {x.shape[1]} channels")
        if self.pointwise and not x.flags.c_contiguous and x.transpose(0, 2, 3, 1).flags.c_contiguous:
            rows = x.transpose(0, 2, 3, 1).reshape(-1, x.shape[1]) @ self.matrix[0].T
            return self._biased(rows.reshape(x.shape[0], *x.shape[2:], self.filters))
        if self.work is None or self.work.x_shape != x.shape:
            self.work = self._prepare(x.shape)
        if isinstance(self.work, ChannelsLast):
            return self._biased(self.work.weigh(x))
        batch, shape = x.shape[0], self.work.geometry
        columns = self.work.columns(x).reshape(batch, self.groups, self.matrix.shape[2], -1)
        y = shape.cut(np.matmul(self.matrix, columns), (batch, self.filters))
        if self.bias is None:
            return np.ascontiguousarray(y)
        return np.add(y, self.bias.reshape((1, -1) + (1,) * self.rank), order="C")

    def _biased(self, y: Array) -> Array:
        """y f[n, h, w, c], made here -> the same with bias as [n, c, h, w], channels last in memory."""
        if self.bias is not None:
            y += self.bias
        return y.transpose(0, 3, 1, 2)

    def _prepare(self, x_shape: Sizes) -> Windows | ChannelsLast:
        shape = self._geometry(x_shape[2:])
        if self.depthwise and self.filters > 2 * shape.out[1]:
            pads = padding(self.pad_type, self.pad, self.kernel, self.strides, self.dilations, x_shape[2:])
            begins = (pads[0][0], pads[1][0])
            return ChannelsLast(x_shape, self.weight, shape.out, self.strides, self.dilations, begins)
        return Windows(x_shape, shape)

    def _geometry(self, spatial: Sizes) -> Geometry:
        pads = padding(self.pad_type, self.pad, self.kernel, self.strides, self.dilations, spatial)
        return geometry(spatial, self.kernel, self.strides, self.dilations, pads)


@op("conv_transpose")
def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    pad: Ints | None = None,
    output_shape: Ints | None = None,
    pad_type: str = "valid",
    strides: Ints | None = None,
    dilations: Ints | None = None,
    groups: int = 1,
) -> Array:
    """x f[n, c_in, *d], weight f[c_in, c_out / groups, *k], bias f[c_out] -> f[n, c_out, *out].

    MIL iOS15 `conv_transpose`, the gradient of `conv`: without `output_shape` a spatial size is
    (d - 1) * stride + (k - 1) * dilation + 1 less the padding (valid, custom), or d * stride (same).
    """
    rank, kernel = x.ndim - 2, weight.shape[2:]
    stride, dilation = per_dimension(strides, rank), per_dimension(dilations, rank)
    full = _scatter(x, weight, stride, dilation, int(groups))
    declared = None if output_shape is None else ints(output_shape)[-rank:]
    if pad_type in ("same", "same_lower"):
        sizes = declared or tuple(size * step for size, step in zip(x.shape[2:], stride, strict=True))
        pads = padding(pad_type, None, kernel, stride, dilation, sizes)
    else:
        pads = padding(pad_type, None if pad is None else ints(pad), kernel, stride, dilation, x.shape[2:])
        sizes = declared or tuple(size - sum(pair) for size, pair in zip(full.shape[2:], pads, strict=True))
    return _add_bias(_window(full, tuple(before for before, _ in pads), sizes), bias)


def _scatter(x: Array, weight: Array, strides: Sizes, dilations: Sizes, groups: int) -> Array:
    """The whole, unpadded result: each input element adds its scaled kernel."""
    rank, batch, channels, filters = x.ndim - 2, x.shape[0], x.shape[1], weight.shape[1]
    kernel, sizes = weight.shape[2:], x.shape[2:]
    if weight.shape[0] != channels or channels % groups:
        raise ValueError(f"weight {weight.shape} with {groups} groups does not fit {channels} channels")
    full = [(sizes[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 for i in range(rank)]
    y = np.zeros((batch, groups * filters, *full), np.float32)
    matrix = weight.reshape(groups, channels // groups, -1).transpose(0, 2, 1)
    terms = np.matmul(matrix, x.reshape(batch, groups, channels // groups, -1))
    terms = terms.reshape(batch, groups * filters, prod(kernel), *sizes)
    for number, tap in enumerate(np.ndindex(*kernel)):
        starts = [tap[i] * dilations[i] for i in range(rank)]
        place = (slice(starts[i], starts[i] + (sizes[i] - 1) * strides[i] + 1, strides[i]) for i in range(rank))
        y[(slice(None), slice(None), *place)] += terms[:, :, number]
    return y


def _window(full: Array, begins: Sizes, sizes: Sizes) -> Array:
    """`sizes` elements from `begins` on, zeros where the whole result ends."""
    short = [max(b + s - n, 0) for b, s, n in zip(begins, sizes, full.shape[2:], strict=True)]
    padded = np.pad(full, [(0, 0), (0, 0), *((0, after) for after in short)]) if any(short) else full
    return padded[(slice(None), slice(None), *(slice(b, b + s) for b, s in zip(begins, sizes, strict=True)))]
