"""Resize an image, exactly as a named library does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from packager.core.constants import Choice, Constant
from packager.model.contract import Call, ContractType, ImageType, Move, StepParams, TensorType
from packager.steps._values import ASPECT, Array, need_pixels
from packager.steps.resize import _geometry, _opencv, _pillow, _tensorflow, _workspace

SUMMARY = "resize to a fixed size or a shorter side, equal to the bit to the named library"
Side = Annotated[int, Field(gt=0, le=8192)]
METHODS = {
    "pillow": ("nearest", "box", "bilinear", "bicubic", "lanczos"),
    "tensorflow": ("nearest", "bilinear"),
    "opencv-4": ("nearest", "bilinear"),
}


class Params(StepParams):
    """Target size, how the image's ratio is handled, and whose arithmetic."""

    width: Side | None = Field(default=None, description="Width of the result in pixels.")
    height: Side | None = Field(default=None, description="Height of the result in pixels.")
    shorter: Side | None = Field(
        default=None,
        description="Instead of a size: the shorter side in pixels; the ratio is kept, the longer side is rounded down "
        "(as torchvision and timm do it; a `crop` follows). Like pillow only.",
    )
    fit: Literal["crop", "stretch", "letterbox"] | None = Field(
        default=None,
        description="With a size: crop: centre crop to the result's ratio; stretch: ratio is lost; letterbox: padded "
        "with `fill`.",
    )
    like: Literal["pillow", "tensorflow", "opencv-4"] = Field(
        description="Whose pixels are met: pillow (13.0.0, to the bit), opencv-4 (`cv2.resize` of 4.12.0, to the bit) "
        "or tensorflow (`tf.image.resize` of 2.21; its bilinear gives numbers, not pixels, within 4 ULP)."
    )
    method: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = Field(
        description="Resampling filter; opencv-4's INTER_LINEAR is bilinear."
    )
    fill: Annotated[int, Field(ge=0, le=255)] = Field(default=0, description="Level of the letterbox's border.")
    antialias: bool = Field(default=False, description="`antialias=True` of tensorflow's bilinear; pillow always does.")

    @model_validator(mode="after")
    def _what_there_is(self) -> Params:
        if self.method not in METHODS[self.like]:
            known = " and ".join(METHODS[self.like])
            raise ValueError(f"`method: {self.method}` is there only like pillow; {self.like} has {known}")
        if self.like == "tensorflow" and self.fit == "letterbox":
            raise ValueError("`fit: letterbox` is there only like pillow and opencv-4")
        if self.antialias and (self.like, self.method) != ("tensorflow", "bilinear"):
            raise ValueError("`antialias` is a choice of tensorflow's bilinear only")
        return self

    @model_validator(mode="after")
    def _size_or_shorter(self) -> Params:
        size = (self.width, self.height, self.fit)
        if self.shorter is None and None in size:
            raise ValueError("either `width`, `height` and `fit`, or `shorter` is needed")
        if self.shorter is not None and any(value is not None for value in size):
            raise ValueError("`shorter` stands alone: without `width`, `height` and `fit`")
        if self.shorter is not None and self.like != "pillow":
            raise ValueError("`shorter` is there only like pillow")
        return self

    @property
    def target(self) -> tuple[int, int, _geometry.Fit]:
        """Width, height and fit; for `shorter` it is both sides."""
        if self.width is None or self.height is None or self.fit is None:
            side = self.shorter or 1
            return side, side, "shorter"
        return self.width, self.height, self.fit


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Image of any size -> image of the stated size, same colours; tensorflow's bilinear -> float32[1, h, w, c].

    `shorter` gives a size that is known only where the size before it is; images of up to 16:1 fit its bound.
    `StepMismatchError` for anything but an 8-bit image of 1 or 3 channels.
    """
    image = need_pixels("resize", value)
    width, height, fit = bound.target
    if fit == "shorter":
        return _shorter_type(image, width)
    if bound.like == "tensorflow" and bound.method == "bilinear":
        return TensorType("float32", (1, height, width, image.channels))
    return replace(image, width=width, height=height, max_pixels=width * height)


def _shorter_type(image: ImageType, side: int) -> ImageType:
    if image.width is None or image.height is None:
        return replace(image, max_pixels=ASPECT * side * side)
    width, height = _geometry.shorter_size(image.width, image.height, side)
    return replace(image, width=width, height=height, max_pixels=width * height)


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, c] -> uint8 [height, width, c], or float32 [1, height, width, c] for tensorflow's bilinear.

    The box of `_geometry.place` is cut out, resampled by `_pillow`, `_opencv` or `_tensorflow`, and for letterbox put
    on a canvas of `fill`.
    """
    width, height, fit = bound.target
    g = _geometry.place(value.shape[1], value.shape[0], width, height, fit)
    cut = value[g.top : g.top + g.box_height, g.left : g.left + g.box_width]
    if bound.like == "tensorflow":
        return _apply_tensorflow(bound, cut)
    resized = _resample(bound, cut, g.width, g.height)
    if fit == "shorter" or resized.shape[:2] == (height, width):
        return np.ascontiguousarray(resized)
    canvas = np.full((height, width, value.shape[2]), bound.fill, np.uint8)
    canvas[g.y : g.y + g.height, g.x : g.x + g.width] = resized
    return canvas


def _resample(bound: Params, cut: Array, width: int, height: int) -> Array:
    if bound.like == "pillow":
        return _pillow.resize(cut, width, height, bound.method)
    resample = _opencv.nearest if bound.method == "nearest" else _opencv.linear
    return resample(cut, width, height)


def _apply_tensorflow(bound: Params, cut: Array) -> Array:
    width, height, _ = bound.target
    if bound.method == "nearest":
        return _tensorflow.nearest(cut, width, height)
    resample = _tensorflow.bilinear_antialias if bound.antialias else _tensorflow.bilinear
    return resample(cut, width, height)[None]


def geometry(bound: Params, value: ContractType) -> tuple[Move, ...]:  # noqa: ARG001
    """Where pixels go."""
    width, height, fit = bound.target
    return (Move(fit, width, height),)


def call(bound: Params, value: ContractType) -> Call:
    """`resize_pillow(width, height, fit, filter, fill)`, `resize_tensorflow_nearest(width, height, fit)`,
    `resize_opencv_nearest(width, height, fit, fill)`, `resize_opencv_linear(width, height, fit, fill)`: to an image.

    `resize_tensorflow(width, height, fit)`, `resize_tensorflow_antialias(width, height, fit)`: to a float32 tensor.
    """
    image = need_pixels("resize", value)
    width, height, fit = bound.target
    size: tuple[tuple[str, Constant], ...] = (("width", width), ("height", height))
    arguments = (*size, ("fit", Choice("fit", fit)))
    if bound.like == "tensorflow":
        return _call_tensorflow(bound, image, arguments)
    if bound.like == "opencv-4":
        function = "resize_opencv_nearest" if bound.method == "nearest" else "resize_opencv_linear"
        workspace = _workspace.opencv(image, width, height, fit, bound.method)
        return Call(function, (*arguments, ("fill", bound.fill)), result_type(bound, value), workspace)
    arguments = (*arguments, ("filter", Choice("filter", bound.method)), ("fill", bound.fill))
    workspace = _workspace.pillow(image, width, height, fit, bound.method)
    return Call("resize_pillow", arguments, result_type(bound, value), workspace)


def _call_tensorflow(bound: Params, image: ImageType, arguments: tuple[tuple[str, Constant], ...]) -> Call:
    width, height, fit = bound.target
    method = "antialias" if bound.antialias else bound.method
    function = {"nearest": "_nearest", "bilinear": "", "antialias": "_antialias"}[method]
    workspace = _workspace.tensorflow(image, width, height, fit, method)
    return Call(f"resize_tensorflow{function}", arguments, result_type(bound, image), workspace)
