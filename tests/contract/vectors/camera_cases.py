"""Group `camera`: frames to colours, resize like OpenCV, resize to a shorter side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from camera_frames import LAYOUTS, place, random_frame
from step_cases import RNG_SEED, Case, Pictures, bind, case

from packager.model.contract import Frame, FrameType
from packager.steps import yuv

SIZES = (
    (64, 48, 24, 24),
    (17, 13, 40, 30),
    (40, 30, 40, 30),
    (40, 30, 20, 15),
    (40, 31, 20, 15),
    (1, 50, 8, 8),
    (50, 1, 8, 8),
    (1, 1, 5, 3),
    (3, 2, 1, 1),
    (20, 90, 18, 10),
    (33, 71, 45, 20),
)
"""Image width and height, target width and height; 40x30 to 20x15 is OpenCV's mean of four."""


def camera() -> list[Case]:
    """All cases, ids unique."""
    made = [*_frames(), *_opencv(), *_shorter()]
    assert len({c.id for c in made}) == len(made)
    return made


def _frames() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED)
    for w, h in ((8, 6), (7, 5), (1, 1), (2, 9)):
        for index, layout in enumerate(LAYOUTS):
            for rotation in (0, 90, 180, 270):
                for span in ("limited", "full") if w > 2 else (("limited", "full")[(index + rotation // 90) % 2],):
                    frame = replace(random_frame(w, h, rng), rotation=(rotation * 2 + index * 90) % 360)
                    name = f"{layout}-{w}x{h}-{frame.rotation}-and-{rotation}-{span}"
                    yield _frame(name, frame, layout, span, rotation, gap=(w + rotation) % 4)
    for span in ("limited", "full"):
        yield _frame(f"corners-{span}", _corners(), "nv21", span, 0)
        yield _frame(f"large-{span}", random_frame(1280, 720, rng), "nv21", span, 90, gap=64)


def _frame(name: str, frame: Frame, layout: str, span: str, rotation: int, gap: int = 0) -> Case:
    bound = bind("yuv", {"range": span, "rotation": rotation})
    start = FrameType(frame.y.size)
    expected = yuv.apply(bound, frame)
    placed: Any = place(frame, layout, gap)
    return Case(f"yuv/{name}", yuv.call(bound, start), start, placed, expected, ("yuv",))


def _corners() -> Frame:
    """Every pair of 18 chroma levels, extremes included, each with four luma levels."""
    levels = np.array([*range(0, 256, 15)], np.uint8)
    u, v = np.meshgrid(levels, levels)
    y = np.zeros((2 * u.shape[0], 2 * u.shape[1]), np.uint8)
    y[::2, 1::2], y[1::2, ::2], y[1::2, 1::2] = 16, 235, 255
    return Frame(y, u.copy(), v.copy())


def _opencv() -> Iterator[Case]:
    pictures = Pictures()
    for w, h, width, height in SIZES:
        for fit in ("crop", "stretch", "letterbox"):
            for index, method in enumerate(("nearest", "bilinear")):
                channels = 1 if (w + index) % 3 == 0 else 3
                picture = pictures.extremes(w, h, channels) if index else pictures.noise(w, h, channels)
                params = {"width": width, "height": height, "fit": fit, "like": "opencv-4", "method": method}
                if fit == "letterbox":
                    params["fill"] = 114
                name = f"opencv-{method}-{fit}-{w}x{h}x{channels}-to-{width}x{height}"
                yield case(name, "resize", params, picture, gap=5 if h % 2 else 0)
    params = {"width": 224, "height": 224, "fit": "stretch", "like": "opencv-4", "method": "bilinear"}
    yield case("opencv-large", "resize", params, pictures.noise(1280, 720))


def _shorter() -> Iterator[Case]:
    pictures = Pictures()
    for w, h, side in ((64, 48, 24), (48, 65, 24), (17, 13, 40), (40, 30, 30), (1, 12, 3)):
        for method in ("bilinear", "bicubic", "nearest"):
            params = {"shorter": side, "like": "pillow", "method": method}
            yield case(f"shorter-{method}-{w}x{h}-to-{side}", "resize", params, pictures.noise(w, h), gap=3)
    for w, h in ((9, 7), (8, 8), (7, 11), (10, 12)):
        params = {"width": 6, "height": 5, "rounding": "even"}
        yield case(f"even-6x5-of-{w}x{h}", "crop", params, pictures.noise(w, h), gap=2)
