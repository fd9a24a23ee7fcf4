"""MIL types and constant values as numpy arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from coremltools.proto import MIL_pb2

from packager.runtimes.coreml.mil.blob import NARROW_BITS, unpack
from packager.runtimes.coreml.mil.errors import BadProgram
from packager.runtimes.coreml.mil.package import Package
from packager.runtimes.coreml.mil.registry import Array

_NAMES: dict[int, str] = {code: name.lower() for name, code in MIL_pb2.DataType.items()}
# float16 is held as float32; see `Rounding` in program.py.
_HELD = {"float16": "float32", "float32": "float32", "bool": "bool", "string": "object"} | {
    f"{sign}int{bits}": f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
_FIELDS = {"floats", "ints", "longInts", "bools", "doubles"}

Value = Array | str | tuple[Any, ...]


@dataclass(frozen=True)
class TensorType:
    """Dtype (MIL's name in lower case) and shape (-1 for an open dimension) of a value."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def held(self) -> np.dtype[Any] | None:
        """The numpy dtype that the evaluator holds such a value in; None where it cannot."""
        name = "int8" if self.dtype == "int4" else "uint8" if self.dtype in NARROW_BITS else _HELD.get(self.dtype)
        return None if name is None else np.dtype(name)

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether a concrete shape fits."""
        return len(shape) == len(self.shape) and all(
            want in (-1, have) for want, have in zip(self.shape, shape, strict=True)
        )


def tensor_type(proto: MIL_pb2.ValueType) -> TensorType:
    """The type of a value; one that is no tensor (list, dictionary, state) keeps its kind as dtype."""
    kind = proto.WhichOneof("type")
    if kind != "tensorType":
        return TensorType(kind or "none", ())
    tensor = proto.tensorType
    sizes = (dim.constant.size if dim.WhichOneof("dimension") == "constant" else -1 for dim in tensor.dimensions)
    return TensorType(_NAMES.get(tensor.dataType, str(tensor.dataType)), tuple(int(size) for size in sizes))


def constant(value: MIL_pb2.Value, package: Package, name: str) -> Value:
    """A constant of the program as an array (0-d for scalars), a string, or a tuple of strings.

    Raises BadProgram where the data is missing, truncated, or of another size or dtype than declared.
    """
    kind = value.WhichOneof("value")
    if kind == "immediateValue" and value.immediateValue.WhichOneof("value") == "list":
        return tuple(constant(item, package, name) for item in value.immediateValue.list.values)
    declared = tensor_type(value.type)
    if declared.held is None or any(size < 0 for size in declared.shape):
        raise BadProgram(f"constant {name!r} has type {declared.dtype}{declared.shape}")
    if kind == "blobFileValue":
        blob = value.blobFileValue
        array = package.blob(blob.fileName).read(int(blob.offset), declared.dtype, declared.shape)
    elif kind == "immediateValue" and value.immediateValue.WhichOneof("value") == "tensor":
        return _immediate(value.immediateValue.tensor, declared, name)
    else:
        raise BadProgram(f"constant {name!r} has no value")
    return array.astype(declared.held, copy=False)


def _immediate(tensor: MIL_pb2.TensorValue, declared: TensorType, name: str) -> Value:
    """A constant that stands in the spec itself."""
    kind = tensor.WhichOneof("value")
    if kind == "strings":
        strings = tuple(
            item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in tensor.strings.values
        )
        if len(strings) != math.prod(declared.shape):
            raise BadProgram(f"constant {name!r} has {len(strings)} strings for shape {declared.shape}")
        return strings if declared.shape else strings[0]
    if kind == "bytes":
        array = unpack(tensor.bytes.values, declared.dtype, declared.shape, f"constant {name!r}")
        return array.astype(declared.held)
    if kind not in _FIELDS:
        raise BadProgram(f"constant {name!r} has no value that can be read")
    array = np.asarray(getattr(tensor, kind).values)
    if array.size != math.prod(declared.shape):
        raise BadProgram(f"constant {name!r} has {array.size} elements", expected=f"shape {declared.shape}")
    return array.astype(declared.held).reshape(declared.shape)
