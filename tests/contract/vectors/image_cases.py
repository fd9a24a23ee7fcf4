"""Group `image`: the rest of the image steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from step_cases import Case, Pictures, case, typed

from packager.model.contract import ImageType


def image() -> list[Case]:
    """All cases, ids unique."""
    made = [*_tensorflow(), *_geometry(), *_colors(), *_numbers(), *_scores()]
    assert len({c.id for c in made}) == len(made)
    return made


def _tensorflow() -> Iterator[Case]:
    pictures = Pictures()
    methods: tuple[dict[str, Any], ...] = (
        {"method": "nearest"},
        {"method": "bilinear"},
        {"method": "bilinear", "antialias": True},
    )
    sizes = (
        (64, 48, 24, 24),
        (31, 67, 24, 24),
        (17, 13, 40, 30),
        (40, 30, 40, 30),
        (1, 50, 8, 8),
        (50, 1, 8, 8),
        (3, 2, 1, 1),
        (96, 11, 7, 90),
        (640, 480, 224, 224),
    )
    for w, h, width, height in sizes:
        for fit in ("crop", "stretch"):
            for method in methods:
                channels = 1 if w % 3 == 0 else 3
                params = {"width": width, "height": height, "fit": fit, "like": "tensorflow", **method}
                name = f"tensorflow-{'-'.join(map(str, method.values()))}-{fit}-{w}x{h}-to-{width}x{height}"
                yield case(name, "resize", params, pictures.noise(w, h, channels), gap=w % 4)


def _geometry() -> Iterator[Case]:
    pictures = Pictures()
    for orientation in range(1, 9):
        for w, h, channels in ((7, 4, 3), (3, 8, 1), (5, 5, 4)):
            picture = pictures.noise(w, h, channels)
            yield case(f"{orientation}-{w}x{h}x{channels}", "orient", {"orientation": orientation}, picture, gap=3)
    for w, h in ((9, 7), (8, 8), (7, 10)):
        yield case(f"6x5-of-{w}x{h}", "crop", {"width": 6, "height": 5}, pictures.noise(w, h), gap=2)
        for ratio in ("4:3", "1:2", "1000:1", "1:1"):
            yield case(f"{ratio}-of-{w}x{h}", "crop", {"ratio": ratio}, pictures.noise(w, h, 1), gap=1)
    anywhere = ImageType(None, None, "rgb", 100)
    yield case("larger-than-the-image", "crop", {"width": 6, "height": 5}, pictures.noise(5, 9), start=anywhere)


def _colors() -> Iterator[Case]:
    pictures = Pictures()
    levels = np.stack(np.meshgrid(np.arange(0, 256, 15), np.arange(0, 256, 15)), axis=-1).astype(np.uint8)
    pairs = np.concatenate([levels, levels[..., ::-1]], axis=-1)
    for name, picture in (("noise", pictures.noise(33, 17)), ("extremes", pictures.extremes(8, 8))):
        yield case(name, "grey", {}, picture, gap=5)
        yield case(name, "srgb", {"source": "display_p3"}, picture, gap=5)
    greys = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    yield case("greys", "srgb", {"source": "display_p3"}, greys)
    cube = np.stack(np.meshgrid(*[np.arange(0, 256, 17)] * 3), axis=-1).astype(np.uint8).reshape(64, 64, 3)
    yield case("cube", "srgb", {"source": "display_p3"}, cube)
    yield case("cube", "grey", {}, cube)
    for name, picture in (("noise", pictures.noise(33, 17, 4)), ("pairs", pairs)):
        yield case(name, "cmyk", {}, picture, start=typed(picture, "cmyk"), gap=6)
        yield case(f"{name}-drop", "alpha", {"mode": "drop"}, picture, gap=6)
        for level in (0, 114, 255):
            yield case(f"{name}-over-{level}", "alpha", {"mode": "over", "background": level}, picture, gap=6)
    for channels in (1, 3, 4):
        wide = pictures.rng.integers(0, 65536, (5, 9, channels), np.uint16)
        yield case(f"{channels}", "depth", {}, wide)


def _numbers() -> Iterator[Case]:
    pictures = Pictures()
    flat = np.full((6, 5, 3), 77, np.uint8)
    almost = flat.copy()
    almost[0, 0, 0] = 78
    pixels = (
        ("noise", pictures.noise(31, 17)),
        ("grey", pictures.noise(84, 84, 1)),
        ("flat", flat),
        ("almost", almost),
    )
    for like in ("tensorflow", "keras"):
        for name, picture in pixels:
            yield case(f"{like}-{name}", "standardize", {"like": like}, picture, gap=4)
        yield case(f"{like}-floats", "standardize", {"like": like}, pictures.floats(1, 9, 8, 3, scale=90.0))
        yield case(f"{like}-constant", "standardize", {"like": like}, np.full((1, 4, 4, 1), 0.1, np.float32))
    for h, w, channels in ((7, 5, 3), (1, 9, 1), (4, 4, 2)):
        yield case(f"{h}x{w}x{channels}", "layout", {"order": "nchw"}, pictures.floats(1, h, w, channels))


def _scores() -> Iterator[Case]:
    pictures = Pictures()
    far = np.array([[-3e38, 3e38, 0.0, -0.0, 88.0, -104.0, 1e-30, 17.0, -17.0]], np.float32)
    bad = np.array([[1.0, np.nan, 2.0], [1.0, np.inf, 3.0], [1.0, 2.0, 3.0]], np.float32)
    for name, value in (("wide", pictures.floats(1, 1000, scale=12.0)), ("far", far), ("bad", bad)):
        yield case(name, "log_softmax", {}, value)
        yield case(name, "sigmoid", {}, value)
    names = [f"tag {i}" for i in range(6)]
    scores = np.array([[0.1, 0.9, 0.5, 0.7, 0.5, 0.2]], np.float32)
    for name, extra in (
        ("half", {"threshold": 0.5}),
        ("tenth", {"threshold": 0.1}),
        ("none", {"threshold": 2}),
        ("top", {"threshold": 0.3, "top": 2}),
    ):
        yield case(f"above-{name}", "labels", {"names": names, **extra}, scores)
    yield case("above-nan", "labels", {"names": names, "threshold": 0.5}, np.full((1, 6), np.nan, np.float32))
