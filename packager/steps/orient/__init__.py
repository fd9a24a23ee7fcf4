"""EXIF orientation on decoded pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ContractType, Move, StepParams
from packager.steps._values import Array, aligned, largest_area, need_image

SUMMARY = "turns and mirrors an image as its EXIF orientation says"
ROLE = "upright"


class Params(StepParams):
    """The EXIF tag's value."""

    orientation: Annotated[int, Field(ge=1, le=8)] = Field(description="EXIF tag 0x0112: 1 (upright) to 8.")


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Image -> image; 5 to 8 exchange width and height."""
    image = need_image("orient", value)
    return image if bound.orientation < 5 else replace(image, width=image.height, height=image.width)


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, c] -> the upright image; output pixel (x, y) is input pixel:

    1 (x, y); 2 (w-1-x, y); 3 (w-1-x, h-1-y); 4 (x, h-1-y); 5 (y, x); 6 (y, h-1-x); 7 (w-1-y, h-1-x); 8 (w-1-y, x).
    """
    turned = value.swapaxes(0, 1) if bound.orientation >= 5 else value
    mirror_x, mirror_y = bound.orientation in (2, 3, 6, 7), bound.orientation in (3, 4, 7, 8)
    return np.ascontiguousarray(turned[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1])


def geometry(bound: Params, value: ContractType) -> tuple[Move, ...]:  # noqa: ARG001
    """Where pixels go."""
    return (Move("orient", bound.orientation),)


def call(bound: Params, value: ContractType) -> Call:
    """`orient(orientation)`: image -> image (orientation 1: a view)."""
    image = need_image("orient", value)
    workspace = 0 if bound.orientation == 1 else aligned(image.channels * largest_area(image))
    return Call("orient", (("orientation", bound.orientation),), result_type(bound, value), workspace)
