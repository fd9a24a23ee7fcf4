"""Compressed weights and quantised activations of the Core ML evaluator against ONNX Runtime."""

from __future__ import annotations

import numpy as np
import pytest
from mil_harness import Case, check, normal, ort, rng

pytestmark = pytest.mark.heavy


def _mb():
    from coremltools.converters.mil import Builder

    return Builder


DATA8 = rng(5).integers(-128, 128, (4, 3, 5), dtype=np.int8)
SCALE, ZERO = rng(6).uniform(0.01, 0.2, 3).astype(np.float32), rng(7).integers(-9, 9, 3, dtype=np.int8)


def _packed(values, bits):
    flat = (values.reshape(-1, 1) >> np.arange(bits)) & 1
    return np.packbits(flat.astype(np.uint8), bitorder="little")


LUT_INDEX = rng(8).integers(0, 4, (4, 6)).astype(np.uint8)
LUT = np.array([-1.5, 0.25, 0.5, 3], np.float32)
SPARSE = np.where(rng(9).uniform(size=(3, 7)) > 0.6, normal(3, 7, seed=10), 0).astype(np.float32)


def _narrow(values, name):
    from coremltools.converters.mil.mil import types

    return values.astype(types.nptype_from_builtin(getattr(types, name)))


def _compressed(op, name, shape, build, expect, target):
    zeros = np.zeros(shape, np.float32)
    return Case(op, name, {"x": zeros}, lambda x: _mb().add(x=x, y=build()), expect, target)


GROUPS = normal(2, 1, 4, 1, seed=11)
VECTORS = normal(1, 1, 4, 3, seed=12)
BLOCK_SCALE, BLOCK_OFFSET = (
    rng(13).uniform(0.1, 1, (2, 3)).astype(np.float32),
    rng(14).integers(-8, 8, (2, 3)).astype(np.int8),
)
DATA4 = rng(15).integers(-8, 8, (4, 6)).astype(np.int8)


def _onnx_blocks():
    """ONNX's DequantizeLinear in blocks of 2 rows, after repeating the scale over its columns."""
    scale, zero = np.repeat(BLOCK_SCALE, 2, axis=1), np.repeat(BLOCK_OFFSET, 2, axis=1)
    return ort("DequantizeLinear", [DATA4, scale, zero], opset=21, axis=0, block_size=2)


CASES = [
    _compressed(
        "constexpr_affine_dequantize",
        "axis",
        DATA8.shape,
        lambda: _mb().constexpr_affine_dequantize(quantized_data=DATA8, zero_point=ZERO, scale=SCALE, axis=1),
        lambda: ort("DequantizeLinear", [DATA8, SCALE, ZERO], axis=1),
        "iOS16",
    ),
    _compressed(
        "constexpr_affine_dequantize",
        "scalar",
        DATA8.shape,
        lambda: _mb().constexpr_affine_dequantize(
            quantized_data=DATA8, zero_point=np.int8(3), scale=np.float32(0.5), axis=0
        ),
        lambda: ort("DequantizeLinear", [DATA8, np.array(0.5, np.float32), np.array(3, np.int8)]),
        "iOS16",
    ),
    _compressed(
        "constexpr_lut_to_dense",
        "packed",
        (4, 6),
        lambda: _mb().constexpr_lut_to_dense(indices=_packed(LUT_INDEX, 2), lut=LUT, shape=np.array([4, 6], np.uint32)),
        lambda: ort("Gather", [LUT, LUT_INDEX.astype(np.int64)]),
        "iOS16",
    ),
    _compressed(
        "constexpr_lut_to_dense",
        "groups",
        (4, 6),
        lambda: _mb().constexpr_lut_to_dense(indices=_narrow(LUT_INDEX, "uint2"), lut=GROUPS),
        lambda: np.concatenate(
            [ort("Gather", [GROUPS[g, 0, :, 0], LUT_INDEX[2 * g : 2 * g + 2].astype(np.int64)]) for g in range(2)]
        ),
        "iOS18",
    ),
    *(
        _compressed(
            "constexpr_lut_to_dense",
            f"vector-{axis}",
            shape,
            lambda axis=axis: _mb().constexpr_lut_to_dense(
                indices=_narrow(LUT_INDEX, "uint2"), lut=VECTORS, vector_axis=axis
            ),
            lambda axis=axis, perm=perm, shape=shape: (
                ort("Gather", [VECTORS[0, 0], LUT_INDEX.astype(np.int64)]).transpose(perm).reshape(shape)
            ),
            "iOS18",
        )
        for axis, perm, shape in ((0, (0, 2, 1), (12, 6)), (1, (0, 1, 2), (4, 18)))
    ),
    _compressed(
        "constexpr_sparse_to_dense",
        "packed",
        SPARSE.shape,
        lambda: _mb().constexpr_sparse_to_dense(
            nonzero_data=SPARSE[SPARSE != 0],
            mask=np.packbits(SPARSE != 0, bitorder="little"),
            shape=np.array(SPARSE.shape, np.uint32),
        ),
        lambda: SPARSE,
        "iOS16",
    ),
    _compressed(
        "constexpr_sparse_to_dense",
        "mask",
        SPARSE.shape,
        lambda: _mb().constexpr_sparse_to_dense(nonzero_data=SPARSE[SPARSE != 0], mask=_narrow(SPARSE != 0, "uint1")),
        lambda: SPARSE,
        "iOS18",
    ),
    _compressed(
        "constexpr_blockwise_shift_scale",
        "int4",
        DATA4.shape,
        lambda: _mb().constexpr_blockwise_shift_scale(
            data=_narrow(DATA4, "int4"), scale=BLOCK_SCALE, offset=_narrow(BLOCK_OFFSET, "int4")
        ),
        _onnx_blocks,
        "iOS18",
    ),
    _compressed(
        "constexpr_blockwise_shift_scale",
        "int8-no-offset",
        DATA4.shape,
        lambda: _mb().constexpr_blockwise_shift_scale(data=DATA4, scale=np.float32([[0.25]])),
        lambda: ort("DequantizeLinear", [DATA4, np.array(0.25, np.float32)]),
        "iOS18",
    ),
    _compressed(
        "constexpr_cast",
        "half",
        (2, 8),
        lambda: _mb().constexpr_cast(source_val=normal(2, 8).astype(np.float16), output_dtype="fp32"),
        lambda: ort("Cast", [normal(2, 8).astype(np.float16)], to=1),
        "iOS16",
    ),
    *(
        Case(
            "quantize",
            dtype,
            {"x": normal(4, 3, 5, seed=20) * 9},
            lambda x, dtype=dtype, zero=zero: _mb().cast(
                x=_mb().quantize(input=x, scale=SCALE, zero_point=zero, output_dtype=dtype, axis=1), dtype="int32"
            ),
            lambda zero=zero: ort("QuantizeLinear", [normal(4, 3, 5, seed=20) * 9, SCALE, zero], axis=1).astype(
                np.int32
            ),
            "iOS17",
        )
        for dtype, zero in (("int8", ZERO), ("uint8", np.abs(ZERO).astype(np.uint8)))
    ),
    Case(
        "dequantize",
        "axis",
        {"x": normal(4, 3, 5, seed=21) * 9},
        lambda x: _mb().dequantize(
            input=_mb().quantize(input=x, scale=SCALE, zero_point=ZERO, output_dtype="int8", axis=1),
            scale=SCALE,
            zero_point=ZERO,
            axis=1,
        ),
        lambda: ort(
            "DequantizeLinear",
            [ort("QuantizeLinear", [normal(4, 3, 5, seed=21) * 9, SCALE, ZERO], axis=1), SCALE, ZERO],
            axis=1,
        ),
        "iOS17",
    ),
    Case(
        "dequantize",
        "scalar",
        {"x": normal(4, 3, seed=22)},
        lambda x: _mb().dequantize(
            input=_mb().quantize(input=x, scale=np.float32(0.1), output_dtype="int8"), scale=np.float32(0.1)
        ),
        lambda: ort(
            "DequantizeLinear",
            [
                ort("QuantizeLinear", [normal(4, 3, seed=22), np.array(0.1, np.float32), np.array(0, np.int8)]),
                np.array(0.1, np.float32),
            ],
        ),
        "iOS17",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_compressed_weights_agree_with_reference(case):
    check(case)


@pytest.mark.parametrize("name", ["int4", "uint1", "uint2", "uint3", "uint4", "uint6"])
def test_narrow_weights_are_read_back(name, tmp_path):
    """Elements narrower than a byte, from the spec and from a weight file of coremltools' own writer."""
    from coremltools.converters.mil.backend.mil.helper import create_tensor_value
    from coremltools.libmilstoragepython import _BlobStorageWriter

    from packager.runtimes.coreml.mil.blob import BlobFile
    from packager.runtimes.coreml.mil.values import constant

    bits = int(name.lstrip("uint"))
    low = -(1 << (bits - 1)) if name == "int4" else 0
    values = rng(bits).integers(low, low + (1 << bits), 11).astype(np.int8 if name == "int4" else np.uint8)
    got = constant(create_tensor_value(_narrow(values, name)), None, "c")
    np.testing.assert_array_equal(got, values)

    writer = _BlobStorageWriter(str(tmp_path / "weight.bin"))
    offset = getattr(writer, f"write_{name}_data")(values)
    del writer  # closes the file
    got = BlobFile.open(tmp_path / "weight.bin").read(offset, name, (11,))
    np.testing.assert_array_equal(got, values)
