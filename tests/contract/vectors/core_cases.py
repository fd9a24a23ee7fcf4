"""Group `core`: resize like Pillow, channels, normalize, quantize, dequantize, softmax, labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from step_cases import Case, Pictures, case, fused

METHODS = ("nearest", "box", "bilinear", "bicubic", "lanczos")
FITS = ("crop", "stretch", "letterbox")
SIZES = (
    (64, 48, 24, 24),
    (31, 67, 24, 24),
    (96, 96, 32, 32),
    (17, 13, 40, 30),
    (40, 30, 40, 30),
    (40, 30, 40, 12),
    (40, 30, 12, 30),
    (1, 50, 8, 8),
    (50, 1, 8, 8),
    (1, 1, 5, 3),
    (3, 2, 1, 1),
    (20, 90, 18, 10),
    (90, 20, 10, 18),
    (33, 71, 45, 20),
)
"""Image width and height, target width and height; 20x90 and 33x71 make Pillow 13 start with the vertical pass."""


def core() -> list[Case]:
    """All cases, ids unique."""
    made = [*_resize(), *_channels(), *_normalize(), *_quantize(), *_scores()]
    assert len({c.id for c in made}) == len(made)
    return made


def _resize() -> Iterator[Case]:
    pictures = Pictures()
    for w, h, width, height in SIZES:
        for fit in FITS:
            for index, method in enumerate(METHODS):
                channels = 1 if (w + index) % 3 == 0 else 3
                picture = pictures.extremes(w, h, channels) if index % 2 else pictures.noise(w, h, channels)
                params = {"width": width, "height": height, "fit": fit, "like": "pillow", "method": method}
                if fit == "letterbox":
                    params["fill"] = 114
                gap = 7 if (w + h) % 2 else 0
                yield case(f"{method}-{fit}-{w}x{h}x{channels}-to-{width}x{height}", "resize", params, picture, gap=gap)
    for name, w, h, width, height in (("large", 1600, 1200, 224, 224), ("tall", 37, 3000, 30, 40)):
        params = {"width": width, "height": height, "fit": "stretch", "like": "pillow", "method": "bilinear"}
        yield case(name, "resize", params, pictures.noise(w, h))


def _channels() -> Iterator[Case]:
    pictures = Pictures()
    yield case("bgr", "channels", {"order": "bgr"}, pictures.noise(11, 7), gap=5)


def _normalize() -> Iterator[Case]:
    pictures = Pictures()
    ramp, grey = pictures.ramp(16, 17), pictures.ramp(16, 16, 1)
    imagenet = {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375]}
    each: tuple[tuple[str, dict[str, Any], Any], ...] = (
        ("raw", {"mean": 0, "std": 1}, ramp),
        ("unit", {"mean": 0, "std": 255}, ramp),
        ("signed", {"mean": 127.5, "std": 127.5}, ramp),
        ("imagenet", imagenet, ramp),
        ("one-std", {"mean": [1.5, 2.25, 3.0], "std": 0.1}, ramp),
        ("grey", {"mean": 127.5, "std": 127.5}, grey),
    )
    swap = ("channels", {"order": "bgr"})
    for name, params, picture in each:
        yield case(name, "normalize", params, picture, gap=3)
        for scale, zero in ((0.003921569, -128), (0.0078125, -1), (0.01, 3), (2.64, -14), (1.0, -128)):
            quantize = ("quantize", {"scale": float(np.float32(scale)), "zero_point": zero})
            yield fused(f"{name}-{scale}", [("normalize", params), quantize], picture, gap=3)
        if picture is ramp:
            yield fused(f"{name}-bgr", [swap, ("normalize", params)], picture)
            yield fused(f"{name}-bgr-int8", [swap, ("normalize", params), quantize], picture)
    floats = pictures.floats(1, 6, 5, 3, scale=100.0)
    yield case("floats", "normalize", imagenet, floats)
    yield case("floats-one", "normalize", {"mean": 0.1, "std": 3}, floats)
    yield case("floats-row", "normalize", {"mean": 0.5, "std": 0.25}, pictures.floats(1, 10))


def _quantize() -> Iterator[Case]:
    pictures = Pictures()
    ties = (np.arange(-300, 301) / 2).astype(np.float32)
    edges = np.array(
        [0.0, -0.0, np.inf, -np.inf, np.nan, 1e30, -1e30, 1e-30, 0.49999997, -0.49999997, 3e9, -3e9], np.float32
    )
    values = np.concatenate([ties, edges, pictures.floats(200, scale=60.0)])[None]
    for scale, zero in ((1.0, 0), (0.5, -128), (0.1, 127), (0.003921569, -1), (1e-30, 5), (1e30, -7)):
        yield case(f"{scale}-{zero}", "quantize", {"scale": float(np.float32(scale)), "zero_point": zero}, values)
    every = np.arange(-128, 128).astype(np.int8)[None]
    for scale, zero in ((1.0, 0), (0.00390625, -128), (0.1, 127), (0.003921569, 3)):
        yield case(f"{scale}-{zero}", "dequantize", {"scale": float(np.float32(scale)), "zero_point": zero}, every)


def _scores() -> Iterator[Case]:
    pictures = Pictures()
    for name, value in (
        ("small", pictures.floats(1, 7)),
        ("wide", pictures.floats(1, 1000, scale=12.0)),
        ("rows", pictures.floats(3, 5)),
        ("far", np.array([[-3e38, 3e38, 0.0, 88.0, -104.0]], np.float32)),
        ("equal", np.full((1, 4), 2.5, np.float32)),
        ("one", np.array([[7.0]], np.float32)),
        ("nan", np.array([[1.0, np.nan, 2.0], [1.0, 2.0, 3.0]], np.float32)),
        ("infinite", np.array([[1.0, np.inf, 2.0], [1.0, -np.inf, 3.0]], np.float32)),
    ):
        yield case(name, "softmax", {}, value)
    names = ["person", "non_person", "né 'q' \"d\"", "back\\slash", "tab\there", "猫", "$dollar", "?\x3f/"]
    scores = np.array([[0.25, 0.5, 0.5, -1.0, 0.5, 0.0, 0.25, -0.0]], np.float32)
    for top in (1, 3, 8):
        yield case(f"top-{top}", "labels", {"names": names, "top": top}, scores)
    many = [f"class {i}" for i in range(1000)]
    yield case("thousand", "labels", {"names": many}, np.round(pictures.floats(1, 1000), 1))
    for name, bad in (("nan", np.nan), ("infinite", np.inf)):
        yield case(name, "labels", {"names": ["a", "b"]}, np.array([[0.5, bad]], np.float32))
