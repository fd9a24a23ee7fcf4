"""Plain numbers as they are, with a unit."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from packager.core.constants import Constant
from packager.model.contract import Call, ContractType, ResultType, StepParams, Values
from packager.steps._values import Array, need_tensor

SUMMARY = "the model's numbers with their shape and a unit: Values"


class Params(StepParams):
    """The unit."""

    unit: str = Field(default="", max_length=40, description="Unit of the numbers, such as `kg`.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> Values."""
    need_tensor("values", value)
    return ResultType("Values")


def apply(bound: Params, value: Array) -> Values:
    """The numbers. Raises ValueError where one is not finite."""
    if not np.isfinite(value).all():
        raise ValueError("a number is not finite")
    return Values(tuple(float(n) for n in value.reshape(-1)), tuple(value.shape), bound.unit)


def call(bound: Params, value: ContractType) -> Call:
    """`as_values(shape, unit)`: float32 tensor -> Values."""
    tensor = need_tensor("values", value)
    arguments: tuple[tuple[str, Constant], ...] = (("shape", tensor.shape), ("unit", bound.unit))
    return Call("as_values", arguments, ResultType("Values"))
