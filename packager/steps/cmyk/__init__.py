"""Print colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from packager.model.contract import Call, ContractType, ImageType, StepParams
from packager.steps._values import Array, aligned, div255, largest_area, need_color

SUMMARY = "cmyk to rgb by Pillow's integer formula"
ROLE = "inks_to_rgb"


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """cmyk image (0 is no ink) -> rgb image."""
    return replace(need_color("cmyk", value, "cmyk"), color="rgb")


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """uint8 [h, w, 4] -> uint8 [h, w, 3]: n = 255 - k; R = n - div255(c * n), and so for G of m and B of y.

    div255(p) = ((p + 128 >> 8) + p + 128) >> 8. This is Pillow's conversion without colour profiles.
    """
    rest = 255 - value[..., 3:].astype(np.int32)
    return (rest - div255(value[..., :3] * rest)).astype(np.uint8)


def call(bound: Params, value: ContractType) -> Call:
    """`cmyk()`: image of four channels -> image of three."""
    output = result_type(bound, value)
    assert isinstance(output, ImageType)
    return Call("cmyk", (), output, aligned(3 * largest_area(output)))
