"""Convolutions (MIL ops conv, conv_transpose)."""

from __future__ import annotations

from math import prod

import numpy as np

from packager.runtimes.coreml.mil.ops.windows import Geometry, Sizes, geometry, padding, per_dimension, runs
from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op


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
    rank, spatial, kernel = x.ndim - 2, x.shape[2:], weight.shape[2:]
    stride, dilation, groups = per_dimension(strides, rank), per_dimension(dilations, rank), int(groups)
    if weight.shape[1] * groups != x.shape[1] or weight.shape[0] % groups:
        raise ValueError(f"weight {weight.shape} with {groups} groups does not fit {x.shape[1]} channels")
    pads = padding(pad_type, None if pad is None else ints(pad), kernel, stride, dilation, spatial)
    shape = geometry(spatial, kernel, stride, dilation, pads)
    return _add_bias(_grouped(x, weight, shape, groups), bias)


def _grouped(x: Array, weight: Array, shape: Geometry, groups: int) -> Array:
    """im2col and one matrix product per sample and group, also where a group is one channel."""
    batch, channels, filters = x.shape[0], weight.shape[1], weight.shape[0]
    matrix = weight.reshape(groups, filters // groups, -1)
    if len(shape.taps) == 1 and shape.grid == x.shape[2:]:
        columns = x.reshape(batch, groups, channels, -1)
    else:
        columns = np.empty((batch * x.shape[1], len(shape.taps), shape.span), np.float32)
        for tap, run in enumerate(runs(x, shape)):
            columns[:, tap] = run
        columns = columns.reshape(batch, groups, channels * len(shape.taps), -1)
    return shape.cut(np.matmul(matrix, columns), (batch, filters))


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
