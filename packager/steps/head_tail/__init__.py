"""The first and the last bytes of a file."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from packager.model.contract import BytesType, Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned

SUMMARY = "the first and the last bytes of a file, white space around it left out, as numbers (magika's features)"
SPACE = b" \t\n\v\f\r"
Count = Annotated[int, Field(ge=0, le=1 << 20)]


class Params(StepParams):
    """How many bytes, and what stands for bytes that are not there."""

    head: Count = Field(description="Bytes from the beginning; what is missing is padded behind them.")
    tail: Count = Field(description="Bytes from the end; what is missing is padded before them.")
    block: Annotated[int, Field(gt=0, le=1 << 24)] = Field(
        description="Only so many bytes at each end are looked at, white space included."
    )
    strip: bool = Field(description="Leave out white space (space, \\t \\n \\v \\f \\r) at the beginning and the end.")
    pad: Annotated[int, Field(ge=-(1 << 15), lt=1 << 16)] = Field(description="Number that stands for no byte.")
    dtype: Literal["int32", "float32"] = Field(description="What the model takes.")

    @model_validator(mode="after")
    def _some_bytes(self) -> Params:
        if self.head + self.tail == 0:
            raise ValueError("`head` and `tail` are both 0")
        return self


def result_type(bound: Params, value: ContractType) -> ContractType:
    """bytes -> int32 or float32[1, head + tail]."""
    if not isinstance(value, BytesType):
        raise StepMismatchError(f"`head_tail` works on bytes, but the value before it is {value}", "bytes")
    return TensorType(bound.dtype, (1, bound.head + bound.tail))


def apply(bound: Params, value: Array) -> Array:
    """uint8 [n] -> int32 or float32 [1, head + tail].

    Of the first `block` bytes, white space at their beginning left out, the first `head`; of the last `block` bytes,
    white space at their end left out, the last `tail`: magika 1.0.3, `_extract_features_from_seekable`.
    """
    content = value.tobytes()
    first, last = content[: bound.block], content[max(0, len(content) - bound.block) :]
    if bound.strip:
        first, last = first.lstrip(SPACE), last.rstrip(SPACE)
    result = np.full(bound.head + bound.tail, bound.pad, bound.dtype)
    head = np.frombuffer(first[: bound.head], np.uint8)
    result[: head.size] = head
    tail = np.frombuffer(last[max(0, len(last) - bound.tail) :], np.uint8)
    result[result.size - tail.size :] = tail
    return result[None]


def call(bound: Params, value: ContractType) -> Call:
    """`head_tail(head, tail, block, strip, pad)`: Bytes -> int32 tensor; `head_tail_floats`: -> float32 tensor."""
    output = result_type(bound, value)
    assert isinstance(output, TensorType)
    function = "head_tail" if bound.dtype == "int32" else "head_tail_floats"
    names = ("head", "tail", "block", "strip", "pad")
    arguments = tuple((name, getattr(bound, name)) for name in names)
    return Call(function, arguments, output, aligned(4 * output.size))
