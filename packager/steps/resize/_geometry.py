"""Which part of the image is resampled to which part of the output: crop, stretch, letterbox. Integers only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Fit = Literal["crop", "stretch", "letterbox", "shorter"]


@dataclass(frozen=True)
class Geometry:
    """Source box (left, top, width, height), resampled size, and its place (x, y) on the canvas."""

    left: int
    top: int
    box_width: int
    box_height: int
    width: int
    height: int
    x: int
    y: int


def place(w: int, h: int, width: int, height: int, fit: Fit) -> Geometry:
    """Geometry for an image w x h and an output width x height.

    - stretch: all of the image to all of the output.
    - crop: box_w = max(1, min(w, h * width // height)), box_h = max(1, min(h, w * height // width)),
      left = (w - box_w) // 2, top = (h - box_h) // 2. For a square output: the centred square of side min(w, h).
    - letterbox: where w * height >= h * width (the image is wider): new_w = width,
      new_h = max(1, (2 * h * width + w) // (2 * w)) (half rounds up); else new_h = height,
      new_w = max(1, (2 * w * height + h) // (2 * h)); x = (width - new_w) // 2, y = (height - new_h) // 2;
      the rest of the output is the fill value.
    - shorter: all of the image to `shorter_size(w, h, width)`; the output has that size.
    """
    if fit == "shorter":
        return Geometry(0, 0, w, h, *shorter_size(w, h, width), 0, 0)
    if fit == "stretch":
        return Geometry(0, 0, w, h, width, height, 0, 0)
    if fit == "crop":
        box_w, box_h = crop_size(w, h, width, height)
        return Geometry((w - box_w) // 2, (h - box_h) // 2, box_w, box_h, width, height, 0, 0)
    new_w, new_h = letterbox_size(w, h, width, height)
    return Geometry(0, 0, w, h, new_w, new_h, (width - new_w) // 2, (height - new_h) // 2)


def crop_size(w: int, h: int, width: int, height: int) -> tuple[int, int]:
    """Largest box of the output's ratio inside w x h."""
    return max(1, min(w, h * width // height)), max(1, min(h, w * height // width))


def letterbox_size(w: int, h: int, width: int, height: int) -> tuple[int, int]:
    """Largest size of the image's ratio inside width x height."""
    if w * height >= h * width:
        return width, max(1, (2 * h * width + w) // (2 * w))
    return max(1, (2 * w * height + h) // (2 * h)), height


def shorter_size(w: int, h: int, side: int) -> tuple[int, int]:
    """Size whose shorter side is `side`, the longer one rounded down: side * longer // shorter (torchvision's)."""
    return (side, side * h // w) if w <= h else (side * w // h, side)


def place_arrays(w: Any, h: Any, width: int, height: int, fit: Fit) -> tuple[Any, Any, Any, Any]:
    """Box and resampled sizes for arrays of image sizes (int64), element by element as `place`."""
    import numpy as np

    full_w, full_h = np.full_like(w, width), np.full_like(h, height)
    if fit == "stretch":
        return w, h, full_w, full_h
    if fit == "shorter":
        return w, h, np.where(w <= h, width, width * w // h), np.where(w <= h, width * h // w, width)
    if fit == "crop":
        box_w = np.maximum(1, np.minimum(w, h * width // height))
        return box_w, np.maximum(1, np.minimum(h, w * height // width)), full_w, full_h
    wider = w * height >= h * width
    new_w = np.where(wider, width, np.maximum(1, (2 * w * height + h) // (2 * h)))
    new_h = np.where(wider, np.maximum(1, (2 * h * width + w) // (2 * w)), height)
    return w, h, new_w, new_h
