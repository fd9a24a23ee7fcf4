"""Scores to probabilities that sum to 1."""

from __future__ import annotations

import numpy as np

from packager.model.contract import Call, ContractType, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor, refuse_activation

SUMMARY = "softmax over the last axis; refused where the model already ends in one"
TOLERANCE = (1e-7, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> float32 tensor of the same shape. `StepMismatchError` after a softmax, naming its node."""
    tensor = need_tensor("softmax", value)
    refuse_activation("softmax", tensor, ("softmax", "log_softmax", "sigmoid"))
    return TensorType("float32", tensor.shape)


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """float32 [..., n] -> float32 [..., n].

    m = largest of the row; e_i = exp((double)x_i - m) in float64; s = sum of e in index order; y_i = (float)(e_i / s).
    A row that holds NaN or infinity becomes NaN. Not equal to the bit: `exp` differs between platforms.
    """
    wide = value.astype(np.float64)
    with np.errstate(invalid="ignore"):
        exponentials = np.exp(wide - wide.max(axis=-1, keepdims=True))
        result: Array = (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)
    result[~np.isfinite(wide).all(axis=-1)] = np.nan
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`softmax(classes)`: float32 tensor -> float32 tensor; `classes` is the length of the last axis."""
    tensor = need_tensor("softmax", value)
    arguments = (("classes", tensor.shape[-1]),)
    return Call("softmax", arguments, result_type(bound, value), aligned(4 * tensor.size))
