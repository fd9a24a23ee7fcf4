"""The same numbers under another shape."""

from __future__ import annotations

from math import prod
from typing import Annotated

from pydantic import Field

from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, need_tensor

SUMMARY = "another shape, the numbers and their order unchanged"


class Params(StepParams):
    """The shape that comes next."""

    shape: Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=1, max_length=8)] = Field(
        description="All dimensions, the batch included: `[1, 49, 40, 1]`."
    )


def result_type(bound: Params, value: ContractType) -> ContractType:
    """float32 tensor -> float32 tensor of as many numbers."""
    tensor = need_tensor("reshape", value)
    shape = tuple(bound.shape)
    if prod(shape) != tensor.size:
        raise StepMismatchError(
            f"`reshape` to {list(shape)} is {prod(shape)} numbers, but the value before it is {tensor}",
            f"a shape of {tensor.size} numbers",
        )
    return TensorType("float32", shape, tensor.activation)


def apply(bound: Params, value: Array) -> Array:
    """float32 -> float32 of another shape, C order."""
    return value.reshape(bound.shape)


def call(bound: Params, value: ContractType) -> Call:
    """`reshape(size)`: float32 tensor -> the same memory."""
    output = result_type(bound, value)
    assert isinstance(output, TensorType)
    return Call("reshape", (("size", output.size),), output)
