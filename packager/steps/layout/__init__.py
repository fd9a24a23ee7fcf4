"""Order of a tensor's axes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "channels first: [1, h, w, c] to [1, c, h, w]"
AXES = (0, 3, 1, 2)


class Params(StepParams):
    """The order that the model wants."""

    order: Literal["nchw"] = Field(description="nchw: channels before rows and columns.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32[1, h, w, c] -> float32[1, c, h, w]."""
    tensor = need_tensor("layout", value)
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        raise StepMismatchError(f"`layout` turns [1, h, w, c], but the value before it is {tensor}", "[1, h, w, c]")
    _, height, width, channels = tensor.shape
    return TensorType("float32", (1, channels, height, width))


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """float32 [1, h, w, c] -> float32 [1, c, h, w]."""
    return np.ascontiguousarray(value.transpose(AXES))


def call(bound: Params, value: ContractType) -> Call:
    """`layout_nchw(pixels, channels)`: float32 tensor -> float32 tensor."""
    output = result_type(bound, value)
    assert isinstance(output, TensorType)
    _, channels, height, width = output.shape
    return Call("layout_nchw", (("pixels", height * width), ("channels", channels)), output, aligned(4 * output.size))
