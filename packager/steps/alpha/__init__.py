"""Transparency."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ContractType, ImageType, StepParams
from packager.steps._values import Array, aligned, div255, largest_area, need_color

SUMMARY = "rgba to rgb: alpha dropped, or laid over a grey background"


class Params(StepParams):
    """What becomes of the fourth channel."""

    mode: Literal["drop", "over"] = Field(description="drop: colours as they are; over: laid over `background`.")
    background: Annotated[int, Field(ge=0, le=255)] = Field(default=255, description="Level behind the image.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """rgba image (colours not multiplied by alpha) -> rgb image."""
    return replace(need_color("alpha", value, "rgba"), color="rgb")


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, 4] -> uint8 [h, w, 3].

    drop: the first three channels. over: div255(background * (255 - a) + c * a) for each colour c, with
    div255(p) = ((p + 128 >> 8) + p + 128) >> 8: what Pillow's `paste` with a mask does.
    """
    color, alpha = value[..., :3].astype(np.int32), value[..., 3:].astype(np.int32)
    if bound.mode == "drop":
        return np.ascontiguousarray(value[..., :3])
    return div255(bound.background * (255 - alpha) + color * alpha).astype(np.uint8)


def call(bound: Params, value: ContractType) -> Call:
    """`alpha_drop()` or `alpha_over(background)`: image of four channels -> image of three."""
    output = result_type(bound, value)
    assert isinstance(output, ImageType)
    workspace = aligned(3 * largest_area(output))
    if bound.mode == "drop":
        return Call("alpha_drop", (), output, workspace)
    return Call("alpha_over", (("background", bound.background),), output, workspace)
