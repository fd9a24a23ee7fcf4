"""Real values of an int8 tensor; the plan adds it after an integer model."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from packager.core.constants import Float32
from packager.model.contract import Call, ContractType, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "int8 to float32: (q - zero_point) * scale"
ROLE = "dequantize"


class Params(StepParams):
    """Scale and zero point of the model's output tensor."""

    scale: Annotated[float, Field(gt=0)] = Field(description="Real value of one step; a float32 number.")
    zero_point: Annotated[int, Field(ge=-128, le=127)] = Field(description="Stored value of 0.0.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """int8 tensor -> float32 tensor of the same shape; what ended the model is kept."""
    tensor = need_tensor("dequantize", value, "int8")
    return TensorType("float32", tensor.shape, tensor.activation)


def apply(bound: Params, value: Array) -> Array:
    """int8 -> float32, same shape: (q - zero_point) exact in int32, times scale in float32."""
    return (value.astype(np.int32) - bound.zero_point).astype(np.float32) * np.float32(bound.scale)


def call(bound: Params, value: ContractType) -> Call:
    """`dequantize(scale, zero_point)`: int8 tensor -> float32 tensor."""
    tensor = need_tensor("dequantize", value, "int8")
    arguments = (("scale", Float32(bound.scale)), ("zero_point", bound.zero_point))
    return Call("dequantize", arguments, result_type(bound, value), aligned(4 * tensor.size))
