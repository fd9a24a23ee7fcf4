"""Centred part of an image, pixels unchanged."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from packager.core.constants import Choice, Constant
from packager.model.contract import Call, ContractType, Move, StepMismatchError, StepParams
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

    rounding: Literal["down", "even"] = Field(
        default="down",
        description="Left and top where half of the rest is no whole pixel: down, or even (to the even number, as "
        "torchvision's and timm's centre crop; with a size only).",
    )

    @model_validator(mode="after")
    def _size_or_ratio(self) -> Params:
        if (self.width is None) != (self.height is None) or (self.width is None) == (self.ratio is None):
            raise ValueError("either `width` and `height` or `ratio` is needed")
        if self.ratio is not None and self.rounding != "down":
            raise ValueError("`rounding` goes with `width` and `height`")
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


def margin(bound: Params, rest: int) -> int:
    """Pixels before the part where `rest` are around it: rest // 2, or for `even` rest / 2 with half to even."""
    return rest // 2 + (bound.rounding == "even" and rest % 4 == 3)


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, c] -> its part at left = margin(w - width), top = margin(h - height).

    Raises ValueError where the image is smaller than the stated size.
    """
    h, w = value.shape[:2]
    if _too_small(bound, w, h):
        raise ValueError(f"the image is smaller than {bound.width}x{bound.height}")
    width, height = part(bound, w, h)
    left, top = margin(bound, w - width), margin(bound, h - height)
    return value[top : top + height, left : left + width]


def geometry(bound: Params, value: ContractType) -> tuple[Move, ...]:  # noqa: ARG001
    """Where pixels go; `StepMismatchError` for `rounding: even`, which has no move."""
    if bound.rounding == "even":
        raise StepMismatchError(
            "a result cannot be mapped back to the original image through `crop` with `rounding: even`",
            "`rounding: down`",
        )
    return (Move("crop_size" if bound.ratio is None else "crop_ratio", *bound.sides),)


def call(bound: Params, value: ContractType) -> Call:
    """`crop_size(width, height, rounding)` or `crop_ratio(across, down)`: image -> a view of the image."""
    first, second = bound.sides
    output = result_type(bound, value)
    if bound.ratio is not None:
        return Call("crop_ratio", (("across", first), ("down", second)), output)
    rounding = Choice("rounding", bound.rounding)
    arguments: tuple[tuple[str, Constant], ...] = (("width", first), ("height", second), ("rounding", rounding))
    return Call("crop_size", arguments, output)
