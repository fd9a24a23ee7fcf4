"""Resize an image to a fixed size, exactly as a named library does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice
from packager.model.contract import Call, ContractType, ImageType, StepParams
from packager.steps._values import Array, aligned, largest_frontier, need_pixels
from packager.steps.resize import _geometry, _pillow

SUMMARY = "resize to a fixed size, equal to the bit to the named library"
Side = Annotated[int, Field(gt=0, le=8192)]


class Params(StepParams):
    """Target size, how the image's ratio is handled, and whose arithmetic."""

    width: Side = Field(description="Width of the result in pixels.")
    height: Side = Field(description="Height of the result in pixels.")
    fit: Literal["crop", "stretch", "letterbox"] = Field(
        description="crop: centre crop to the result's ratio; stretch: ratio is lost; letterbox: padded with `fill`."
    )
    like: Literal["pillow"] = Field(description="Library whose pixels are met: pillow (13.0.0, to the bit).")
    method: Literal["nearest", "box", "bilinear", "bicubic", "lanczos"] = Field(description="Resampling filter.")
    fill: Annotated[int, Field(ge=0, le=255)] = Field(default=0, description="Level of the letterbox's border.")


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Image of any size -> image of the stated size, same colours. `StepMismatchError` for anything but an image."""
    image = need_pixels("resize", value)
    return replace(image, width=bound.width, height=bound.height, max_pixels=bound.width * bound.height)


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, c] -> uint8 [height, width, c].

    The box of `_geometry.place` is cut out, resampled by `_pillow.resize`, and for letterbox put on a canvas of `fill`.
    """
    g = _geometry.place(value.shape[1], value.shape[0], bound.width, bound.height, bound.fit)
    cut = value[g.top : g.top + g.box_height, g.left : g.left + g.box_width]
    resized = _pillow.resize(cut, g.width, g.height, bound.method)
    if resized.shape[:2] == (bound.height, bound.width):
        return np.ascontiguousarray(resized)
    canvas = np.full((bound.height, bound.width, value.shape[2]), bound.fill, np.uint8)
    canvas[g.y : g.y + g.height, g.x : g.x + g.width] = resized
    return canvas


def call(bound: Params, value: ContractType) -> Call:
    """`resize_pillow(width, height, fit, filter, fill)`: image -> image."""
    image = need_pixels("resize", value)
    arguments = (
        ("width", bound.width),
        ("height", bound.height),
        ("fit", Choice("fit", bound.fit)),
        ("filter", Choice("filter", bound.method)),
        ("fill", bound.fill),
    )
    return Call("resize_pillow", arguments, result_type(bound, value), _workspace(bound, image))


def _workspace(bound: Params, image: ImageType) -> int:
    """Arena bytes of `resize_pillow` (resize.hpp) for the image that needs most."""
    w, h = largest_frontier(image)
    box_w, box_h, out_w, out_h = _geometry.place_arrays(w, h, bound.width, bound.height, bound.fit)
    total = np.where((box_w == bound.width) & (box_h == bound.height), 0, _aligned(_area(bound, image)))
    horizontal, vertical = box_w != out_w, box_h != out_h
    if bound.method == "nearest":
        return int(np.max(total + np.where(horizontal | vertical, _aligned(4 * out_w), 0)))
    support = _pillow.FILTERS[bound.method][1]
    taps_h, taps_v = _taps(box_w, out_w, support), _taps(box_h, out_h, support)
    downwards = box_h - out_h > np.maximum(0, 2 * (box_w - out_w))
    between = np.where(downwards, box_w, out_w * taps_v) * image.channels
    total = total + np.where(horizontal, _aligned(8 * out_w) + _aligned(4 * out_w * taps_h), 0)
    total = total + np.where(horizontal & vertical, _aligned(between), 0)
    total = total + np.where(vertical, _aligned(4 * taps_v), 0)
    doubles = np.maximum(np.where(horizontal, taps_h, 0), np.where(vertical, taps_v, 0))
    return int(np.max(total + _aligned(8 * doubles)))


def _area(bound: Params, image: ImageType) -> Array:
    return np.array([bound.width * bound.height * image.channels], np.int64)


def _taps(size: Array, out: Array, support: float) -> Array:
    """Pillow's `ksize`: ceil(support * max(size / out, 1)) * 2 + 1."""
    return np.ceil(support * np.maximum(size / out, 1.0)).astype(np.int64) * 2 + 1


def _aligned(count: Array) -> Array:
    return -(-count // aligned(1)) * aligned(1)
