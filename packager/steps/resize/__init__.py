"""Resize an image to a fixed size, exactly as a named library does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from packager.core.constants import Choice, Constant
from packager.model.contract import Call, ContractType, ImageType, StepParams, TensorType
from packager.steps._values import Array, need_pixels
from packager.steps.resize import _geometry, _pillow, _tensorflow, _workspace

SUMMARY = "resize to a fixed size, equal to the bit to the named library"
Side = Annotated[int, Field(gt=0, le=8192)]


class Params(StepParams):
    """Target size, how the image's ratio is handled, and whose arithmetic."""

    width: Side = Field(description="Width of the result in pixels.")
    height: Side = Field(description="Height of the result in pixels.")
    fit: Literal["crop", "stretch", "letterbox"] = Field(
        description="crop: centre crop to the result's ratio; stretch: ratio is lost; letterbox: padded with `fill`."
    )
    like: Literal["pillow", "tensorflow"] = Field(
        description="Whose pixels are met: pillow (13.0.0, to the bit) or tensorflow (`tf.image.resize` of 2.21; its "
        "bilinear gives numbers, not pixels, within 4 ULP)."
    )
    method: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = Field(description="Resampling filter.")
    fill: Annotated[int, Field(ge=0, le=255)] = Field(default=0, description="Level of the letterbox's border.")
    antialias: bool = Field(default=False, description="`antialias=True` of tensorflow's bilinear; pillow always does.")

    @model_validator(mode="after")
    def _like_tensorflow(self) -> Params:
        if self.like == "tensorflow" and self.method not in ("nearest", "bilinear"):
            raise ValueError(f"`method: {self.method}` is there only like pillow; tensorflow has nearest and bilinear")
        if self.like == "tensorflow" and self.fit == "letterbox":
            raise ValueError("`fit: letterbox` is there only like pillow")
        if self.antialias and (self.like, self.method) != ("tensorflow", "bilinear"):
            raise ValueError("`antialias` is a choice of tensorflow's bilinear only")
        return self


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Image of any size -> image of the stated size, same colours; tensorflow's bilinear -> float32[1, h, w, c].

    `StepMismatchError` for anything but an 8-bit image of 1 or 3 channels.
    """
    image = need_pixels("resize", value)
    if bound.like == "tensorflow" and bound.method == "bilinear":
        return TensorType("float32", (1, bound.height, bound.width, image.channels))
    return replace(image, width=bound.width, height=bound.height, max_pixels=bound.width * bound.height)


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, c] -> uint8 [height, width, c], or float32 [1, height, width, c] for tensorflow's bilinear.

    The box of `_geometry.place` is cut out, resampled by `_pillow` or `_tensorflow`, and for letterbox put on a canvas
    of `fill`.
    """
    g = _geometry.place(value.shape[1], value.shape[0], bound.width, bound.height, bound.fit)
    cut = value[g.top : g.top + g.box_height, g.left : g.left + g.box_width]
    if bound.like == "tensorflow":
        return _apply_tensorflow(bound, cut)
    resized = _pillow.resize(cut, g.width, g.height, bound.method)
    if resized.shape[:2] == (bound.height, bound.width):
        return np.ascontiguousarray(resized)
    canvas = np.full((bound.height, bound.width, value.shape[2]), bound.fill, np.uint8)
    canvas[g.y : g.y + g.height, g.x : g.x + g.width] = resized
    return canvas


def _apply_tensorflow(bound: Params, cut: Array) -> Array:
    if bound.method == "nearest":
        return _tensorflow.nearest(cut, bound.width, bound.height)
    resample = _tensorflow.bilinear_antialias if bound.antialias else _tensorflow.bilinear
    return resample(cut, bound.width, bound.height)[None]


def call(bound: Params, value: ContractType) -> Call:
    """`resize_pillow(width, height, fit, filter, fill)`, `resize_tensorflow_nearest(width, height, fit)`: to an image.

    `resize_tensorflow(width, height, fit)`, `resize_tensorflow_antialias(width, height, fit)`: to a float32 tensor.
    """
    image = need_pixels("resize", value)
    size: tuple[tuple[str, Constant], ...] = (("width", bound.width), ("height", bound.height))
    arguments = (*size, ("fit", Choice("fit", bound.fit)))
    if bound.like == "tensorflow":
        return _call_tensorflow(bound, image, arguments)
    arguments = (*arguments, ("filter", Choice("filter", bound.method)), ("fill", bound.fill))
    workspace = _workspace.pillow(image, bound.width, bound.height, bound.fit, bound.method)
    return Call("resize_pillow", arguments, result_type(bound, value), workspace)


def _call_tensorflow(bound: Params, image: ImageType, arguments: tuple[tuple[str, Constant], ...]) -> Call:
    method = "antialias" if bound.antialias else bound.method
    function = {"nearest": "_nearest", "bilinear": "", "antialias": "_antialias"}[method]
    workspace = _workspace.tensorflow(image, bound.width, bound.height, bound.fit, method)
    return Call(f"resize_tensorflow{function}", arguments, result_type(bound, image), workspace)
