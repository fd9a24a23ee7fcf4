"""Centred part of an image, pixels unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field, model_validator

from packager.model.contract import Call, ContractType, StepMismatchError, StepParams
from packager.steps._values import Array, need_pixels

SUMMARY = "centre crop to a size in pixels, or to a ratio"
Side = Annotated[int, Field(gt=0, le=8192)]


class Params(StepParams):
    """A size, or a ratio."""

    width: Side | None = Field(default=None, description="Width of the part in pixels; the image must have as many.")
    height: Side | None = Field(default=None, description="Height of the part in pixels.")
    ratio: str | None = Field(
        default=None,
        pattern=r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$",
        description="Width to height of the part, for example `4:3`: the largest such part is taken.",
    )

    @model_validator(mode="after")
    def _size_or_ratio(self) -> Params:
        if (self.width is None) != (self.height is None) or (self.width is None) == (self.ratio is None):
            raise ValueError("either `width` and `height` or `ratio` is needed")
        return self

    @property
    def sides(self) -> tuple[int, int]:
        """Width and height in pixels, or the ratio's two numbers."""
        if self.width is not None and self.height is not None:
            return self.width, self.height
        across, down = str(self.ratio).split(":")
        return int(across), int(down)


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Image -> its centred part. The size after a ratio is known only where the size before it is."""
    image = need_pixels("crop", value)
    if bound.ratio is None:
        if image.width is not None and image.height is not None and _too_small(bound, image.width, image.height):
            raise StepMismatchError(f"`crop` to {bound.width}x{bound.height} of {image}", "a part of the image")
        return replace(image, width=bound.width, height=bound.height, max_pixels=bound.sides[0] * bound.sides[1])
    if image.width is None or image.height is None:
        return image
    width, height = part(bound, image.width, image.height)
    return replace(image, width=width, height=height, max_pixels=width * height)


def _too_small(bound: Params, w: int, h: int) -> bool:
    return bound.ratio is None and (w < bound.sides[0] or h < bound.sides[1])


def part(bound: Params, w: int, h: int) -> tuple[int, int]:
    """Size of the part of an image w x h.

    For a ratio a:b the largest box of it: max(1, min(w, h * a // b)) x max(1, min(h, w * b // a)).
    """
    a, b = bound.sides
    return (a, b) if bound.ratio is None else (max(1, min(w, h * a // b)), max(1, min(h, w * b // a)))


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, c] -> its part at left = (w - width) // 2, top = (h - height) // 2.

    Raises ValueError where the image is smaller than the stated size.
    """
    h, w = value.shape[:2]
    if _too_small(bound, w, h):
        raise ValueError(f"the image is smaller than {bound.width}x{bound.height}")
    width, height = part(bound, w, h)
    left, top = (w - width) // 2, (h - height) // 2
    return value[top : top + height, left : left + width]


def call(bound: Params, value: ContractType) -> Call:
    """`crop_size(width, height)` or `crop_ratio(across, down)`: image -> a view of the image."""
    names, function = (("width", "height"), "crop_size") if bound.ratio is None else (("across", "down"), "crop_ratio")
    arguments = tuple(zip(names, bound.sides, strict=True))
    return Call(function, arguments, result_type(bound, value))
