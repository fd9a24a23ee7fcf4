"""From places in the model's input back to the original image: the reference of the kits' mapping files.

All of it is float64 in the order that is written here (native code makes the same operations), so that what is rounded
to float32 at the end is equal to the bit in all languages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from packager.model.contract import Geometry, ImageSize, Move, StepMismatchError
from packager.steps._values import Array, aligned

NOT_PLACED = Geometry("")
"""Until the plan gives a step its way back to the original image."""
MIRROR_X, MIRROR_Y, TURNED = (2, 3, 7, 8), (3, 4, 6, 7), (5, 6, 7, 8)
"""EXIF orientations; coordinates are those of edges: a pixel spans from its index to its index + 1."""


@dataclass(frozen=True)
class Mapping:
    """original x = scale_x * (model's y if turned, else its x) + offset_x; y likewise of the other one."""

    scale_x: float = 1.0
    offset_x: float = 0.0
    scale_y: float = 1.0
    offset_y: float = 0.0
    turned: bool = False


def mapping(geometry: Geometry, photo: ImageSize) -> Mapping:
    """The whole way back for an original image of this size. ValueError where it is empty."""
    if photo.width < 1 or photo.height < 1:
        raise ValueError("the original image is empty")
    way = Mapping()
    w, h = photo.width, photo.height
    for move in geometry.moves:
        step, w, h = _back(move, w, h)
        way = _join(way, step)
    return way


def _back(move: Move, w: int, h: int) -> tuple[Mapping, int, int]:
    """One move backwards for an image w x h before it, and the size after it."""
    a, b = move.a, move.b
    if move.kind == "orient":
        sx, ox = (-1.0, float(w)) if a in MIRROR_X else (1.0, 0.0)
        sy, oy = (-1.0, float(h)) if a in MIRROR_Y else (1.0, 0.0)
        turned = a in TURNED
        return Mapping(sx, ox, sy, oy, turned), h if turned else w, w if turned else h
    if move.kind in ("crop_size", "crop_ratio"):
        if move.kind == "crop_ratio":
            a, b = max(1, min(w, h * a // b)), max(1, min(h, w * b // a))
        return Mapping(1.0, float((w - a) // 2), 1.0, float((h - b) // 2)), a, b
    if move.kind == "shorter":
        a, b = (a, a * h // w) if w <= h else (a * w // h, a)
    box_w, box_h, new_w, new_h = w, h, a, b
    if move.kind == "crop":
        box_w, box_h = max(1, min(w, h * a // b)), max(1, min(h, w * b // a))
    elif move.kind == "letterbox" and w * b >= h * a:
        new_h = max(1, (2 * h * a + w) // (2 * w))
    elif move.kind == "letterbox":
        new_w = max(1, (2 * w * b + h) // (2 * h))
    sx, sy = box_w / new_w, box_h / new_h
    ox = (w - box_w) // 2 - sx * ((a - new_w) // 2)
    oy = (h - box_h) // 2 - sy * ((b - new_h) // 2)
    return Mapping(sx, ox, sy, oy), a, b


def _join(way: Mapping, step: Mapping) -> Mapping:
    """`step` first, then `way`, each backwards."""
    sx, ox, sy, oy = step.scale_x, step.offset_x, step.scale_y, step.offset_y
    if way.turned:
        sx, ox, sy, oy = sy, oy, sx, ox
    return Mapping(
        way.scale_x * sx,
        way.scale_x * ox + way.offset_x,
        way.scale_y * sy,
        way.scale_y * oy + way.offset_y,
        way.turned != step.turned,
    )


def places(way: Mapping, x: Array, y: Array) -> tuple[Array, Array]:
    """float32 places in the model's input to float32 places in the original: one product, one sum, each rounded."""
    if way.turned:
        x, y = y, x
    with np.errstate(over="ignore"):
        return (
            x * np.float32(way.scale_x) + np.float32(way.offset_x),
            y * np.float32(way.scale_y) + np.float32(way.offset_y),
        )


def need_size(step: str, geometry: Geometry) -> tuple[int, int]:
    """Width and height of the model's image, or `StepMismatchError`."""
    if geometry.width < 1 or geometry.height < 1:
        raise StepMismatchError(
            f"`{step}` needs an image of a known size, but `{geometry.input}` has none", "a `resize` step before it"
        )
    return geometry.width, geometry.height


def list_bytes(count: int, each: int) -> int:
    """Arena bytes of a list of results."""
    return aligned(count * each)
