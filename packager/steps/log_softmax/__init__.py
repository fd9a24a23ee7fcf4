"""Scores to logarithms of probabilities."""

from __future__ import annotations

import numpy as np

from packager.model.contract import Call, ContractType, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor, refuse_activation

SUMMARY = "logarithm of softmax over the last axis; refused where the model already ends in a softmax"
TOLERANCE = (1e-6, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""


NEEDS: tuple[str, ...] = ("softmax",)


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> float32 tensor of the same shape. `StepMismatchError` after a softmax, naming its node."""
    tensor = need_tensor("log_softmax", value)
    refuse_activation("log_softmax", tensor, ("softmax", "log_softmax", "sigmoid"))
    return TensorType("float32", tensor.shape)


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """float32 [..., n] -> float32 [..., n].

    m = largest of the row; s = sum of exp((double)x_i - m) in index order; y_i = (float)((x_i - m) - log(s)), in
    float64. A row that holds NaN or infinity becomes NaN. Not equal to the bit: `exp` and `log` are each platform's.
    """
    wide = value.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        moved = wide - wide.max(axis=-1, keepdims=True)
        result: Array = (moved - np.log(np.exp(moved).sum(axis=-1, keepdims=True))).astype(np.float32)
    result[~np.isfinite(wide).all(axis=-1)] = np.nan
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`log_softmax(classes)`: float32 tensor -> float32 tensor; `classes` is the length of the last axis."""
    tensor = need_tensor("log_softmax", value)
    arguments = (("classes", tensor.shape[-1]),)
    return Call("log_softmax", arguments, result_type(bound, value), aligned(4 * tensor.size))
