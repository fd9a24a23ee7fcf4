"""Power to decibels."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice, Float32
from packager.model.contract import Call, ContractType, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "power to decibels, as librosa's power_to_db"
TOLERANCE = (1e-5, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""


class Params(StepParams):
    """Reference, floor and range, with librosa's defaults."""

    reference: Literal["one", "max"] = Field(
        default="one", description="`one`: 0 dB is a power of 1; `max`: 0 dB is the largest power of this input."
    )
    floor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        default=1e-10, description="Smaller powers are taken as this one (librosa's `amin`)."
    )
    range: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=80.0, description="Values further below the largest are raised to it; 0: none (librosa's `top_db`)."
    )


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> float32 tensor of the same shape."""
    return TensorType("float32", need_tensor("decibels", value).shape)


def apply(bound: Params, value: Array) -> Array:
    """float32 power -> float32 dB.

    d = 10 log10(max(x, floor)) - 10 log10(max(r, floor)) in float64, where r is 1 or the largest power; then
    max(d, largest d - range); rounded once. librosa 0.11, `power_to_db`.
    """
    floor = float(np.float32(bound.floor))
    wide = value.astype(np.float64)
    reference = float(wide.max()) if bound.reference == "max" else 1.0
    decibels = 10.0 * np.log10(np.maximum(wide, floor)) - 10.0 * np.log10(max(reference, floor))
    if bound.range > 0:
        decibels = np.maximum(decibels, decibels.max() - float(np.float32(bound.range)))
    result: Array = decibels.astype(np.float32)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`decibels(reference, floor, range)`: float32 tensor -> float32 tensor."""
    arguments = (
        ("reference", Choice("decibel_reference", bound.reference)),
        ("floor", Float32(float(np.float32(bound.floor)))),
        ("range", Float32(float(np.float32(bound.range)))),
    )
    tensor = need_tensor("decibels", value)
    return Call("decibels", arguments, result_type(bound, value), aligned(4 * tensor.size))
