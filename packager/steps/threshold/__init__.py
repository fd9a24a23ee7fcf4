"""One number to one of two classes."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from packager.core.constants import Constant, Float32
from packager.model.contract import Call, Classification, ContractType, Label, ResultType, StepMismatchError, StepParams
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "one number to one of two names, by a limit: Classification"
LABEL_SCORE_BYTES = 16
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class Params(StepParams):
    """The limit and the names on its two sides."""

    limit: Annotated[float, Field(allow_inf_nan=False)] = Field(description="A float32 number; a larger one is above.")
    below: Name = Field(description="Name of a number up to the limit (index 0), such as `normal`.")
    above: Name = Field(description="Name of a larger number (index 1), such as `anomaly`.")


def class_names(bound: Params) -> tuple[str, ...]:
    """Both names by index."""
    return bound.below, bound.above


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor of one number -> Classification."""
    tensor = need_tensor("threshold", value)
    if tensor.size != 1:
        raise StepMismatchError(f"`threshold` takes one number, but the value before it is {tensor}", "[1, 1]")
    return ResultType("Classification")


def apply(bound: Params, value: Array) -> Classification:
    """float32 [1, 1] -> one label whose score is the number: `above` (index 1) where it is > (float)limit.

    Raises ValueError where the number is NaN or infinite.
    """
    number = value.reshape(-1)[0]
    if not np.isfinite(number):
        raise ValueError("a score is not finite")
    index = int(number > np.float32(bound.limit))
    return Classification((Label((bound.below, bound.above)[index], float(number), index),))


def call(bound: Params, value: ContractType) -> Call:
    """`threshold(names, limit)`: float32 tensor -> Classification."""
    limit = Float32(float(np.float32(bound.limit)))
    arguments: tuple[tuple[str, Constant], ...] = (("names", (bound.below, bound.above)), ("limit", limit))
    return Call("threshold", arguments, result_type(bound, value), aligned(LABEL_SCORE_BYTES))
