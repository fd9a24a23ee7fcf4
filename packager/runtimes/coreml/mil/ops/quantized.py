"""Compressed constants (MIL ops constexpr_*), and quantisation of activations."""

from __future__ import annotations

from math import prod

import numpy as np

from packager.runtimes.coreml.mil.blob import unpack_bits
from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op

_CONSTEXPR_CASTS = {"fp32": np.float32, "fp16": np.float32}


def _along(values: Array, data: Array, axis: int | None) -> Array:
    """A scalar or vector parameter, shaped to apply along one axis of `data`."""
    if np.ndim(values) == 0 or axis is None:
        return values
    shape = [1] * data.ndim
    shape[int(axis)] = -1
    return values.reshape(shape)


def _blocks(values: Array, shape: tuple[int, ...]) -> Array:
    """`values` with each element repeated over its block, so that it has `shape`."""
    for axis, (size, have) in enumerate(zip(shape, values.shape, strict=True)):
        if size % have:
            raise ValueError(f"{values.shape} blocks do not divide {shape}")
        values = np.repeat(values, size // have, axis=axis)
    return values


@op("constexpr_affine_dequantize")
def constexpr_affine_dequantize(quantized_data: Array, zero_point: Array, scale: Array, axis: int) -> Array:
    """(u)int8[*] -> f[*], scale * (data - zero_point), one or per `axis`. MIL iOS16 op of that name."""
    offset = _along(zero_point, quantized_data, axis).astype(np.float32)
    return (quantized_data.astype(np.float32) - offset) * _along(scale, quantized_data, axis)


@op("constexpr_blockwise_shift_scale")
def constexpr_blockwise_shift_scale(data: Array, scale: Array, offset: Array | None = None) -> Array:
    """Data [*] -> f[*], scale * (data - offset), each parameter for a block of data. MIL iOS18 op."""
    shifted = data.astype(np.float32)
    if offset is not None:
        shifted = shifted - _blocks(offset.astype(np.float32), data.shape)
    return _blocks(scale, data.shape) * shifted


@op("constexpr_lut_to_dense")
def constexpr_lut_to_dense(
    indices: Array, lut: Array, shape: Ints | None = None, vector_axis: int | None = None
) -> Array:
    """Indices into a table of values -> the values. MIL iOS16 and iOS18 `constexpr_lut_to_dense`.

    iOS16: indices uint8[m] packed from the lowest bit, lut [2 ** bits], `shape` of the result.
    iOS18: indices uint[*d], lut [*blocks, 2 ** bits, vector]; a vector runs along `vector_axis`.
    """
    if shape is not None:
        sizes, bits = ints(shape), int(lut.size - 1).bit_length()
        return lut[unpack_bits(indices, bits, prod(sizes))].reshape(sizes)
    palettes, vector = lut.shape[-2:]
    tables = _blocks(np.arange(prod(lut.shape[:-2])).reshape(lut.shape[:-2]), indices.shape)
    values = lut.reshape(-1, palettes, vector)[tables, indices.astype(np.int64)]
    if vector == 1:
        return values[..., 0]
    axis = int(vector_axis if vector_axis is not None else -1) % indices.ndim
    out = np.moveaxis(values, -1, axis + 1)
    return out.reshape(*out.shape[:axis], -1, *out.shape[axis + 2 :])


@op("constexpr_sparse_to_dense")
def constexpr_sparse_to_dense(nonzero_data: Array, mask: Array, shape: Ints | None = None) -> Array:
    """The elements that are not zero, and where they stand -> [*]. MIL iOS16 and iOS18 op of that name.

    iOS16: mask uint8[m], one bit per element from the lowest, and `shape`. iOS18: mask uint1[*].
    """
    places = mask if shape is None else unpack_bits(mask, 1, prod(ints(shape))).reshape(ints(shape))
    if np.count_nonzero(places) != nonzero_data.size:
        raise ValueError(f"{nonzero_data.size} elements for {np.count_nonzero(places)} places")
    dense = np.zeros(places.shape, nonzero_data.dtype)
    dense[places != 0] = nonzero_data
    return dense


@op("constexpr_cast")
def constexpr_cast(source_val: Array, output_dtype: str) -> Array:
    """f[*] -> f[*] in `output_dtype`. MIL iOS16 `constexpr_cast`."""
    if output_dtype not in _CONSTEXPR_CASTS:
        raise ValueError(f"unknown dtype {output_dtype!r}")
    return source_val.astype(_CONSTEXPR_CASTS[output_dtype])


@op("quantize")
def quantize(
    input: Array,  # noqa: A002 - MIL's name
    scale: Array,
    output_dtype: str,
    zero_point: Array | None = None,
    axis: int | None = None,
) -> Array:
    """f[*] -> (u)int8[*], clip(round(input / scale) + zero_point), halves to even. MIL iOS17 `quantize`."""
    rounded = np.rint(input / _along(scale, input, axis))
    if zero_point is not None:
        rounded = rounded + _along(zero_point, input, axis).astype(np.float32)
    limits = np.iinfo(output_dtype)
    return np.clip(rounded, limits.min, limits.max).astype(output_dtype)


@op("dequantize")
def dequantize(
    input: Array,  # noqa: A002
    scale: Array,
    zero_point: Array | None = None,
    axis: int | None = None,
) -> Array:
    """(u)int8[*] -> f[*], scale * (input - zero_point), one or per `axis`. MIL iOS17 `dequantize`."""
    shifted = input.astype(np.float32)
    if zero_point is not None:
        shifted = shifted - _along(zero_point, input, axis).astype(np.float32)
    return shifted * _along(scale, input, axis)
