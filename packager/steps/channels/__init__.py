"""Order of an image's colour channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice
from packager.model.contract import Call, ContractType, ImageType, StepMismatchError, StepParams
from packager.steps import normalize
from packager.steps._values import Array, aligned, largest_area, need_pixels

SUMMARY = "order of colour channels: rgb or bgr"
NEEDS: tuple[str, ...] = ()


class Params(StepParams):
    """The order that the model was trained with."""

    order: Literal["rgb", "bgr"] = Field(description="Order of the channels after this step.")


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Three-channel image -> the same image in the stated order."""
    image = need_pixels("channels", value)
    if image.channels != 3:
        raise StepMismatchError(f"`channels` orders three channels, but the value before it is {image}", "rgb or bgr")
    if image.color == bound.order:
        raise StepMismatchError(
            f"the image is {image.color} already, so `channels` would do nothing", hint="remove the step"
        )
    return replace(image, color=bound.order)


def apply(bound: Params, value: Array) -> Array:  # noqa: ARG001
    """uint8 [h, w, 3] -> the same with the first and the third channel exchanged."""
    return np.ascontiguousarray(value[..., ::-1])


def call(bound: Params, value: ContractType) -> Call:
    """`channels(order)`: image -> image; order `bgr` exchanges first and third."""
    image = need_pixels("channels", value)
    arguments = (("order", Choice("channel_order", "bgr")),)
    return Call("channels", arguments, result_type(bound, value), aligned(3 * largest_area(image)))


def fuse(bound: Params, value: ContractType, following: Sequence[tuple[str, Any]]) -> tuple[Call, int] | None:
    """With a following `normalize` (and `quantize`) the exchange costs nothing."""
    swapped = result_type(bound, value)
    if not following or following[0][0] != "normalize" or not isinstance(swapped, ImageType):
        return None
    params = following[0][1]
    fused = normalize.fuse_order(params, swapped, "bgr", following[1:])
    if fused is not None:
        return fused[0], fused[1] + 1
    return normalize.image_call(params, swapped, "bgr"), 1
