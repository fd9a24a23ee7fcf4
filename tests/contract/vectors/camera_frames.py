"""Camera frames in memory: NV21, NV12, I420, with gaps between rows and planes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from packager.model.contract import Frame

LAYOUTS = ("nv21", "nv12", "i420")
GAP = 0xA5


@dataclass(frozen=True)
class PlacedFrame:
    """A frame, its bytes, and where the planes start in them."""

    frame: Frame
    data: bytes
    y: int
    u: int
    v: int
    y_stride: int
    uv_stride: int
    uv_step: int

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.frame.y.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.frame.y.shape[0])


def random_frame(w: int, h: int, rng: np.random.Generator) -> Frame:
    """Uniform bytes."""
    chroma = ((h + 1) // 2, (w + 1) // 2)
    y, u, v = (rng.integers(0, 256, shape, np.uint8) for shape in ((h, w), chroma, chroma))
    return Frame(y, u, v)


def place(frame: Frame, layout: str, gap: int = 0) -> PlacedFrame:
    """The frame's bytes, `gap` unused ones after each row and each plane."""
    luma = _rows(frame.y, gap)
    after = luma.size + gap
    if layout == "i420":
        u, v = _rows(frame.u, gap), _rows(frame.v, gap)
        planes, at, step = [u, v], (after, after + u.size + gap), 1
    else:
        first, second = (frame.v, frame.u) if layout == "nv21" else (frame.u, frame.v)
        both = np.stack([first, second], axis=-1).reshape(first.shape[0], -1)
        planes = [_rows(both, gap)]
        at, step = ((after + 1, after) if layout == "nv21" else (after, after + 1)), 2
    hole = bytes([GAP]) * gap
    data = hole.join(plane.tobytes() for plane in [luma, *planes])
    stride = planes[0].shape[1]
    return PlacedFrame(frame, data, 0, *at, luma.shape[1], stride, step)


def _rows(plane: Any, gap: int) -> Any:
    return np.pad(plane, ((0, 0), (0, gap)), constant_values=GAP)
