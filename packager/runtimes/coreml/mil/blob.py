"""Reader of Core ML's weight file (`weight.bin`, blob storage version 2).

Layout, little-endian, as coremltools' own writer produces it: a 64-byte header (count u32, version u32), then
per entry a 64-byte record (sentinel u32, dtype u32, size in bytes u64, offset u64, padding in bits u64) and the
data, each aligned to 64 bytes. Elements narrower than a byte are packed from the lowest bit upwards.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from packager.runtimes.coreml.mil.errors import BadProgram
from packager.runtimes.coreml.mil.registry import Array

_SENTINEL = 0xDEADBEEF
_VERSION = 2
_HEADER_BYTES = 64
_DTYPES = {
    1: "float16", 2: "float32", 3: "uint8", 4: "int8", 6: "int16", 7: "uint16", 8: "int4",
    9: "uint1", 10: "uint2", 11: "uint4", 12: "uint3", 13: "uint6", 14: "int32", 15: "uint32",
}  # fmt: skip
NARROW_BITS = {"int4": 4, "uint1": 1, "uint2": 2, "uint3": 3, "uint4": 4, "uint6": 6}


@dataclass(frozen=True)
class BlobFile:
    """The bytes of one weight file, held in memory."""

    path: Path
    data: bytes

    @classmethod
    def open(cls, path: Path) -> BlobFile:
        """Read and check the header. Raises BadProgram if the file is missing or is no blob storage."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise BadProgram(f"the weight file {path.name!r} cannot be read: {error.strerror}") from error
        if len(data) < _HEADER_BYTES or struct.unpack_from("<II", data)[1] != _VERSION:
            raise BadProgram(f"{path.name!r} is not a Core ML weight file of version {_VERSION}")
        return cls(path, data)

    def read(self, offset: int, dtype: str, shape: tuple[int, ...]) -> Array:
        """The tensor whose record is at `offset`; narrow integers come back in 8 bits.

        Raises BadProgram if the record is broken, truncated or of another dtype or size than declared.
        """
        where = f"{self.path.name!r} at offset {offset}"
        if offset < _HEADER_BYTES or offset + 32 > len(self.data):
            raise BadProgram(f"the weight file ends before the record: {where}, {len(self.data)} bytes")
        sentinel, code, size, start, _ = struct.unpack_from("<IIQQQ", self.data, offset)
        if sentinel != _SENTINEL:
            raise BadProgram(f"no weight record stands in {where}", expected=f"the mark {_SENTINEL:#x}")
        if start + size > len(self.data):
            raise BadProgram(f"the weight file is truncated: {where} wants {start + size} bytes")
        if _DTYPES.get(code) != dtype:
            raise BadProgram(f"{where} holds {_DTYPES.get(code, code)}", expected=dtype)
        return unpack(self.data[start : start + size], dtype, shape, where)


def unpack(data: bytes, dtype: str, shape: tuple[int, ...], where: str) -> Array:
    """Bytes as an array of `shape`; a dtype narrower than a byte is unpacked to (u)int8."""
    count = math.prod(shape)
    bits = NARROW_BITS.get(dtype)
    needed = count * np.dtype(dtype).itemsize if bits is None else -(-count * bits // 8)
    # coremltools pads immediate values of narrow dtypes by up to one byte.
    if len(data) != needed and not (bits is not None and len(data) == needed + 1):
        raise BadProgram(f"{where} has {len(data)} bytes of data", expected=f"{needed} for {dtype}{shape}")
    if bits is None:
        return np.frombuffer(data, dtype).reshape(shape)
    return unpack_bits(np.frombuffer(data, np.uint8), bits, count, signed=dtype.startswith("int")).reshape(shape)


def unpack_bits(packed: Array, bits: int, count: int, *, signed: bool = False) -> Array:
    """`count` integers of `bits` bits each, packed from the lowest bit upwards, as (u)int8."""
    flat = np.unpackbits(packed, bitorder="little", count=count * bits).reshape(count, bits)
    values = (flat.astype(np.uint8) << np.arange(bits, dtype=np.uint8)).sum(1).astype(np.uint8)
    if not signed:
        return values
    top = np.int16(1 << (bits - 1))
    return ((values.astype(np.int16) ^ top) - top).astype(np.int8)
