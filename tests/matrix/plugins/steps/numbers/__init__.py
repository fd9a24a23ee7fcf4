"""The numbers of any tensor as they are: the matrix judges tensors, not what an app makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from packager.model.contract import Call, ContractType, ResultType, StepMismatchError, StepParams, TensorType, Values

SUMMARY = "plain numbers of any type with their shape"


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Tensor -> Values."""
    if not isinstance(value, TensorType):
        raise StepMismatchError(f"`numbers` takes a tensor, not {value}", "a tensor")
    return ResultType("Values")


def apply(bound: Params, value: Any) -> Values:
    """Tensor -> Values."""
    return Values(tuple(np.ravel(value).astype(np.float64).tolist()), value.shape)


def call(bound: Params, value: ContractType) -> Call:
    """`numbers()`: the matrix has no targets, so nothing calls it."""
    return Call("numbers", (), ResultType("Values"), 0)
