"""Sixteen bits to eight."""

from __future__ import annotations

import numpy as np

from packager.model.contract import Call, ContractType, ImageType, StepMismatchError, StepParams
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "16-bit pixels to 8 bits: the high byte"
ROLE = "high_byte"
COLORS = {1: "grey", 3: "rgb", 4: "rgba"}


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """uint16[h, w, c] -> 8-bit image; 1, 3 or 4 channels are grey, rgb, rgba."""
    tensor = need_tensor("depth", value, "uint16")
    if len(tensor.shape) != 3 or tensor.shape[2] not in COLORS:
        raise StepMismatchError(f"`depth` takes [h, w, c] with 1, 3 or 4 channels, not {tensor}", "uint16[h, w, c]")
    height, width, channels = tensor.shape
    if channels == 1:
        return ImageType(width, height, "grey", width * height)
    return ImageType(width, height, "rgb" if channels == 3 else "rgba", width * height)


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """uint16 [h, w, c] -> uint8 [h, w, c]: v >> 8, as Pillow reads 16-bit colour files."""
    return (value >> 8).astype(np.uint8)


def call(bound: Params, value: ContractType) -> Call:
    """`depth(width, height, channels)`: uint16 tensor -> image."""
    output = result_type(bound, value)
    assert isinstance(output, ImageType)
    assert output.width is not None
    assert output.height is not None
    arguments = (("width", output.width), ("height", output.height), ("channels", output.channels))
    return Call("depth", arguments, output, aligned(output.width * output.height * output.channels))
