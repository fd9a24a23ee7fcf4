"""Inputs on which the reference and OpenCV are compared: made of small numbers, so that both sides make the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from camera_frames import random_frame

from packager.model.contract import Frame

FIXED = (
    (4000, 3000, 224, 224),
    (3000, 4000, 97, 131),
    (1, 4000, 7, 224),
    (4000, 1, 224, 7),
    (1999, 1501, 1998, 33),
    (641, 479, 640, 480),
    (30, 20, 1200, 801),
    (1280, 720, 640, 360),
    (1280, 720, 224, 224),
)
RANDOM, HALVES = 300, 40


@dataclass(frozen=True)
class Resize:
    """One resize: image w x h of c channels to width x height; only 0 and 255 where `extremes`."""

    w: int
    h: int
    c: int
    width: int
    height: int
    extremes: bool
    seed: int

    def image(self) -> Any:
        """uint8 [h, w, c]."""
        rng = np.random.default_rng(self.seed)
        shape = (self.h, self.w, self.c)
        return (
            rng.integers(0, 2, shape, np.uint8) * np.uint8(255)
            if self.extremes
            else rng.integers(0, 256, shape, np.uint8)
        )


def resizes() -> Iterator[Resize]:
    """Sides up to 96, exact halves, and the fixed sizes; the same each time."""
    rng = np.random.default_rng(412)
    sides = [tuple(map(int, row)) for row in rng.integers(1, 97, (RANDOM, 4))]
    sides += [(2 * int(a), 2 * int(b), int(a), int(b)) for a, b in rng.integers(1, 49, (HALVES, 2))]
    for index, (w, h, width, height) in enumerate([*sides, *FIXED]):
        yield Resize(w, h, 1 if index % 3 == 0 else 3, width, height, index % 4 == 1, index)


def frames() -> Iterator[tuple[str, Frame]]:
    """Frames of even sizes (OpenCV takes no others), and every pair of chroma levels with 32 luma levels."""
    for index, (w, h) in enumerate(((2, 2), (8, 6), (64, 48), (96, 2), (34, 90), (1280, 720))):
        yield f"{w}x{h}", random_frame(w, h, np.random.default_rng(index))
    u, v = np.meshgrid(np.arange(256), np.arange(256))
    for luma in range(0, 256, 8):
        y = np.full((512, 512), luma, np.uint8)
        y[::2, 1::2], y[1::2, ::2], y[1::2, 1::2] = luma + 1, luma + 3, luma + 7
        yield f"luma-{luma}", Frame(y, u.astype(np.uint8), v.astype(np.uint8))


def digest(pixels: Any) -> str:
    """First 12 digits of the sha256 of uint8 pixels."""
    return hashlib.sha256(np.ascontiguousarray(pixels, np.uint8).tobytes()).hexdigest()[:12]
