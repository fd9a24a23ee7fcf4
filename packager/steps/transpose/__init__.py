"""The last two axes in the other order."""

from __future__ import annotations

import numpy as np

from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "swaps the last two axes: [1, frames, bins] to [1, bins, frames]"


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32[..., a, b] -> float32[..., b, a]; every axis before them is 1."""
    tensor = need_tensor("transpose", value)
    if len(tensor.shape) < 2 or tensor.size != tensor.shape[-1] * tensor.shape[-2]:
        raise StepMismatchError(f"`transpose` turns [1, a, b], but the value before it is {tensor}", "[1, a, b]")
    *before, rows, columns = tensor.shape
    return TensorType("float32", (*before, columns, rows))


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """float32 [..., a, b] -> float32 [..., b, a]."""
    return np.ascontiguousarray(np.swapaxes(value, -1, -2))


def call(bound: Params, value: ContractType) -> Call:
    """`transpose(rows, columns)`: float32 tensor -> float32 tensor."""
    tensor = need_tensor("transpose", value)
    arguments = (("rows", tensor.shape[-2]), ("columns", tensor.shape[-1]))
    return Call("transpose", arguments, result_type(bound, value), aligned(4 * tensor.size))
