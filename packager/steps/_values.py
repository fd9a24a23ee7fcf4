"""What several steps ask about the value before them, and how arena bytes are counted."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import ContractType, ImageType, StepMismatchError, TensorType

Array = NDArray[Any]

ALIGNMENT = 16
"""Bytes to which the C++ arena aligns every block."""

ASPECT = 16
"""Stated workspaces hold for images whose longer side is at most this many times the shorter one (at full size)."""


def need_image(step: str, value: ContractType) -> ImageType:
    """The value as an image, or `StepMismatchError`."""
    if not isinstance(value, ImageType):
        raise StepMismatchError(f"`{step}` works on an image, but the value before it is {value}", "an image")
    return value


def need_pixels(step: str, value: ContractType) -> ImageType:
    """The value as an 8-bit image with 1 or 3 channels, or `StepMismatchError`."""
    image = need_image(step, value)
    if image.color not in ("rgb", "bgr", "grey"):
        raise StepMismatchError(f"`{step}` cannot take {image}", "an 8-bit image, rgb, bgr or grey")
    return image


def need_color(step: str, value: ContractType, color: str) -> ImageType:
    """The value as an image of this colour model, or `StepMismatchError`."""
    image = need_image(step, value)
    if image.color != color:
        raise StepMismatchError(f"`{step}` works on {color} pixels, but the value before it is {image}", color)
    return image


def need_size(step: str, value: ImageType) -> tuple[int, int]:
    """Width and height of an image whose size is known, or `StepMismatchError`."""
    if value.width is None or value.height is None:
        raise StepMismatchError(
            f"`{step}` needs an image of a known size, but the value before it is {value}",
            "an image of a fixed width and height",
            "put a `resize` step before it",
        )
    return value.width, value.height


def need_tensor(step: str, value: ContractType, dtype: str = "float32") -> TensorType:
    """The value as a tensor of a dtype, or `StepMismatchError`."""
    if isinstance(value, ImageType):
        hint = "put a `normalize` step before it" if dtype == "float32" else ""
        raise StepMismatchError(f"`{step}` works on a {dtype} tensor, but the value before it is {value}", dtype, hint)
    if not isinstance(value, TensorType) or value.dtype != dtype:
        raise StepMismatchError(f"`{step}` works on a {dtype} tensor, but the value before it is {value}", dtype)
    return value


def refuse_activation(step: str, value: TensorType, kinds: tuple[str, ...]) -> None:
    """Raises `StepMismatchError` where the model already ends in one of these activations."""
    if value.activation is not None and value.activation.kind in kinds:
        raise StepMismatchError(
            f"the model already ends in {value.activation.kind} (node `{value.activation.node}`), "
            f"so `{step}` would squash its scores a second time",
            "raw scores (logits)",
            f"remove the `{step}` step",
        )


def aligned(count: int) -> int:
    """Bytes that one arena block of `count` bytes takes."""
    return -(-count // ALIGNMENT) * ALIGNMENT


def largest_area(value: ImageType) -> int:
    """Pixels of the largest allowed image."""
    w, h = largest_frontier(value)
    return int(np.max(w * h))


def div255(product: Array) -> Array:
    """Pillow's rounded division by 255 of a product of bytes: t = p + 128; ((t >> 8) + t) >> 8."""
    t = product.astype(np.int32) + 128
    return ((t >> 8) + t) >> 8


def largest_frontier(value: ImageType) -> tuple[Array, Array]:
    """Widths and heights (int64 arrays) of all images that no other allowed image contains.

    For a fixed size that is one point. Otherwise w * h <= max_pixels and no side is longer than
    isqrt(16 * max_pixels), which a ratio of 16:1 reaches.
    """
    if value.width is not None and value.height is not None:
        return np.array([value.width], np.int64), np.array([value.height], np.int64)
    pixels = value.max_pixels or 0
    if pixels <= 0:
        raise StepMismatchError("the largest image is not stated", "`accepts: {image: {max: 12 MP}}`")
    side = isqrt(ASPECT * pixels)
    widths = np.arange(1, min(side, pixels) + 1, dtype=np.int64)
    return widths, np.minimum(pixels // widths, side)
