"""Quantise a float tensor to int8; the plan adds it before an integer model."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from packager.core.constants import Float32
from packager.model.contract import Call, ContractType, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "float32 to int8: clamp(round-half-away(x / scale) + zero_point)"
ROLE = "quantize"


class Params(StepParams):
    """Scale and zero point of the model's input tensor."""

    scale: Annotated[float, Field(gt=0)] = Field(description="Real value of one step; a float32 number.")
    zero_point: Annotated[int, Field(ge=-128, le=127)] = Field(description="Stored value of 0.0.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> int8 tensor of the same shape."""
    tensor = need_tensor("quantize", value)
    return TensorType("int8", tensor.shape)


def quantize(values: Array, scale: float, zero_point: int) -> Array:
    """float32 array -> int8 array: clamp(round_half_away(x / scale) + zero_point, -128, 127).

    q = x / scale in float32; t = trunc(q); where |q - t| >= 0.5 t moves one away from zero; t + zero_point is clamped
    to [-128, 127] before it becomes an integer; NaN gives zero_point.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        quotient = values.astype(np.float32) / np.float32(scale)
        whole = np.trunc(quotient)
        away = np.abs(quotient - whole) >= np.float32(0.5)
    rounded = whole + np.where(away, np.copysign(np.float32(1), quotient), np.float32(0))
    clamped = np.clip(rounded + np.float32(zero_point), np.float32(-128), np.float32(127))
    return np.where(np.isnan(quotient), np.float32(zero_point), clamped).astype(np.int8)


def apply(bound: Params, value: Array) -> Array:
    """float32 -> int8, same shape."""
    return quantize(value, bound.scale, bound.zero_point)


def call(bound: Params, value: ContractType) -> Call:
    """`quantize(scale, zero_point)`: float32 tensor -> int8 tensor."""
    tensor = need_tensor("quantize", value)
    arguments = (("scale", Float32(bound.scale)), ("zero_point", bound.zero_point))
    return Call("quantize", arguments, TensorType("int8", tensor.shape), aligned(tensor.size))
