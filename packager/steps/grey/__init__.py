"""Colour to grey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from packager.model.contract import Call, ContractType, ImageType, StepParams
from packager.steps._values import Array, aligned, largest_area, need_color

SUMMARY = "rgb to one grey channel by Pillow's integer formula"


class Params(StepParams):
    """No parameters."""


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """rgb image -> grey image of the same size."""
    return replace(need_color("grey", value, "rgb"), color="grey")


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """uint8 [h, w, 3] -> uint8 [h, w, 1]: L = (R * 19595 + G * 38470 + B * 7471 + 0x8000) >> 16 (Pillow's `L`)."""
    weights = np.array([19595, 38470, 7471], np.int32)
    total: Array = (value.astype(np.int32) * weights).sum(axis=-1, keepdims=True) + 0x8000
    result: Array = (total >> 16).astype(np.uint8)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`grey()`: image -> image."""
    output = result_type(bound, value)
    assert isinstance(output, ImageType)
    return Call("grey", (), output, aligned(largest_area(output)))
