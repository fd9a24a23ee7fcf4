"""Numbers in another unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from packager.core.constants import Float32
from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "x * factor + offset, for all numbers or for each channel (the last axis)"


def _numbers(value: Any) -> Any:
    """A number or a list of numbers as a tuple of floats; anything else is left to the type to refuse."""
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(float(x) if isinstance(x, int) and not isinstance(x, bool) else x for x in items)


Numbers = Annotated[
    tuple[Annotated[float, Field(allow_inf_nan=False)], ...],
    BeforeValidator(_numbers, json_schema_input_type=float | list[float]),
    Field(min_length=1, max_length=4096),
]


class Params(StepParams):
    """One number, or one for each channel."""

    factor: Numbers = Field(description="What each number is multiplied with: a number, or one for each channel.")
    offset: Numbers = Field(default=(0.0,), description="What is added after that: a number, or one for each channel.")


def result_type(bound: Params, value: ContractType) -> ContractType:
    """float32 tensor -> the same shape. `StepMismatchError` where the lists do not fit its last axis."""
    tensor = need_tensor("scale", value)
    _each(bound, tensor.shape)
    return TensorType("float32", tensor.shape)


def _each(bound: Params, shape: Sequence[int]) -> tuple[tuple[Float32, ...], tuple[Float32, ...]]:
    """Factors and offsets: one of each for everything, or one for each channel."""
    channels = shape[-1] if shape else 1
    for name, numbers in (("factor", bound.factor), ("offset", bound.offset)):
        if len(numbers) not in (1, channels):
            raise StepMismatchError(
                f"`scale` has {len(numbers)} numbers in `{name}`, but the value has {channels} channels",
                f"one number, or {channels}",
            )
    size = max(len(bound.factor), len(bound.offset))
    return _float32(bound.factor, size), _float32(bound.offset, size)


def _float32(numbers: tuple[float, ...], size: int) -> tuple[Float32, ...]:
    return tuple(Float32(float(np.float32(x))) for x in (numbers * size)[:size])


def apply(bound: Params, value: Array) -> Array:
    """float32 -> the same shape: a product and a sum, each rounded to float32."""
    factors, offsets = (np.array([x.value for x in numbers], np.float32) for numbers in _each(bound, value.shape))
    with np.errstate(over="ignore", invalid="ignore"):
        result: Array = value * factors + offsets
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`scale(factors, offsets)`: float32 tensor -> float32 tensor."""
    tensor = need_tensor("scale", value)
    factors, offsets = _each(bound, tensor.shape)
    arguments = (("factors", factors), ("offsets", offsets))
    return Call("scale", arguments, TensorType("float32", tensor.shape), aligned(4 * tensor.size))
