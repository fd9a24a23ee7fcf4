"""Each score to a probability of its own."""

from __future__ import annotations

import numpy as np

from packager.model.contract import Call, ContractType, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor, refuse_activation

SUMMARY = "1 / (1 + exp(-x)), element by element; refused where the model already ends in an activation"
TOLERANCE = (1e-7, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> float32 tensor of the same shape. `StepMismatchError` after an activation, naming its node."""
    tensor = need_tensor("sigmoid", value)
    refuse_activation("sigmoid", tensor, ("softmax", "log_softmax", "sigmoid"))
    return TensorType("float32", tensor.shape)


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """float32 -> float32: e = exp(-|x|) in float64; 1 / (1 + e) where x >= 0, else e / (1 + e), rounded once.

    NaN stays NaN. Not equal to the bit: `exp` differs between platforms.
    """
    wide = value.astype(np.float64)
    small = np.exp(-np.abs(wide))
    result: Array = (np.where(wide >= 0, 1.0, small) / (1.0 + small)).astype(np.float32)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`sigmoid()`: float32 tensor -> float32 tensor."""
    tensor = need_tensor("sigmoid", value)
    return Call("sigmoid", (), result_type(bound, value), aligned(4 * tensor.size))
