"""Natural or decimal logarithm of a spectrum."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice, Float32
from packager.model.contract import Call, ContractType, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "logarithm of (x + offset), or of max(x, floor)"
TOLERANCE = (1e-6, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""


class Params(StepParams):
    """What keeps the logarithm finite."""

    offset: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(default=0.0, description="Added before.")
    floor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0.0, description="Smaller values are taken as this one, before the offset is added."
    )
    base: Literal["e", "10"] = Field(default="e", description="`e`: natural, `10`: decimal.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> float32 tensor of the same shape."""
    return TensorType("float32", need_tensor("log", value).shape)


def apply(bound: Params, value: Array) -> Array:
    """float32 -> float32: (float)log((double)max(x, floor) + offset); 0 gives -infinity."""
    wide = np.maximum(value.astype(np.float64), float(np.float32(bound.floor))) + float(np.float32(bound.offset))
    with np.errstate(divide="ignore", invalid="ignore"):
        result: Array = (np.log(wide) if bound.base == "e" else np.log10(wide)).astype(np.float32)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`log_spectrum(floor, offset, base)`: float32 tensor -> float32 tensor."""
    arguments = (
        ("floor", Float32(float(np.float32(bound.floor)))),
        ("offset", Float32(float(np.float32(bound.offset)))),
        ("base", Choice("log_base", "e" if bound.base == "e" else "ten")),
    )
    tensor = need_tensor("log", value)
    return Call("log_spectrum", arguments, result_type(bound, value), aligned(4 * tensor.size))
