"""Pillow 13.0.0's resampling of 8-bit images, to the bit (libImaging/Resample.c and Geometry.c, affine nearest).

Coefficients are made in float64, rounded to 22 fractional bits, and applied in int32, one pass for each axis; the first
pass is rounded to 8 bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

PRECISION_BITS = 32 - 8 - 2


def box(x: float) -> float:
    """1 in (-0.5, 0.5], support 0.5."""
    return 1.0 if -0.5 < x <= 0.5 else 0.0


def bilinear(x: float) -> float:
    """1 - |x| where |x| < 1, support 1."""
    x = abs(x)
    return 1.0 - x if x < 1.0 else 0.0


def bicubic(x: float) -> float:
    """Cubic convolution with a = -0.5, support 2, in Pillow's order of operations."""
    a = -0.5
    x = abs(x)
    if x < 1.0:
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    if x < 2.0:
        return (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return 0.0


def lanczos(x: float) -> float:
    """sinc(x) * sinc(x / 3) in [-3, 3), support 3."""
    return sinc(x) * sinc(x / 3.0) if -3.0 <= x < 3.0 else 0.0


def sinc(x: float) -> float:
    """sin(pi x) / (pi x), 1 at 0."""
    if x == 0.0:
        return 1.0
    x = x * math.pi
    return math.sin(x) / x


FILTERS: dict[str, tuple[Callable[[float], float], float]] = {
    "box": (box, 0.5),
    "bilinear": (bilinear, 1.0),
    "bicubic": (bicubic, 2.0),
    "lanczos": (lanczos, 3.0),
}
"""Filter function and support by method; `nearest` has neither."""


def coefficients(size: int, out: int, method: str) -> list[tuple[int, Array]]:
    """First input index and int32 weights (22 fractional bits) of every output index.

    scale = size / out; filterscale = max(scale, 1); support = filter support * filterscale; for output x:
    centre = (x + 0.5) * scale; from = max(0, int(centre - support + 0.5)); to = min(size, int(centre + support + 0.5));
    w[i] = filter((i + from - centre + 0.5) * (1 / filterscale)); w[i] /= sum of w in index order (if it is not 0);
    weight = int(w * 2^22 +- 0.5), truncated towards zero, minus where w < 0.
    """
    function, base = FILTERS[method]
    scale = size / out
    filterscale = max(scale, 1.0)
    support = base * filterscale
    inverse = 1.0 / filterscale
    rows: list[tuple[int, Array]] = []
    for x in range(out):
        centre = (x + 0.5) * scale
        start = max(int(centre - support + 0.5), 0)
        end = min(int(centre + support + 0.5), size)
        weights = [function((i + start - centre + 0.5) * inverse) for i in range(end - start)]
        total = 0.0
        for weight in weights:
            total += weight
        if total != 0.0:
            weights = [weight / total for weight in weights]
        rows.append((start, np.array([_fixed(weight) for weight in weights], np.int32)))
    return rows


def _fixed(weight: float) -> int:
    scaled = weight * (1 << PRECISION_BITS)
    return int(scaled - 0.5) if weight < 0 else int(scaled + 0.5)


def nearest_indices(size: int, out: int) -> Array:
    """Input index of every output index: int(o), o starting at scale * 0.5 and growing by scale (float64 sums)."""
    scale = size / out
    position = scale * 0.5
    indices = np.empty(out, np.int64)
    for x in range(out):
        indices[x] = int(position)
        position += scale
    return indices


def vertical_first(w: int, h: int, width: int, height: int) -> bool:
    """Whether Pillow 13 makes the vertical pass first: h - height > 0 and h - height > 2 * (w - width).

    It matters because the pass between them rounds to 8 bits. (Pillow before 13 always starts horizontally.)
    """
    return h - height > max(0, 2 * (w - width))


def resize(image: Array, width: int, height: int, method: str) -> Array:
    """uint8 [h, w, c] -> uint8 [height, width, c], as `Image.resize((width, height), method)`.

    A pass whose size does not change is skipped. The horizontal pass comes first unless `vertical_first`.
    """
    h, w = image.shape[:2]
    if (h, w) == (height, width):
        return image
    if method == "nearest":
        return image[nearest_indices(h, height)][:, nearest_indices(w, width)]
    passes = [(1, w, width), (0, h, height)]
    if vertical_first(w, h, width, height):
        passes.reverse()
    for axis, size, out in passes:
        if size != out:
            turned = image.swapaxes(1, axis)
            image = _resample_rows(turned, coefficients(size, out, method)).swapaxes(1, axis)
    return np.ascontiguousarray(image)


def _resample_rows(image: Array, weights: list[tuple[int, Array]]) -> Array:
    """One pass along axis 1: clip8((2^21 + sum of pixel * weight) >> 22), in int32."""
    out = np.empty((image.shape[0], len(weights), image.shape[2]), np.uint8)
    half = np.int32(1 << (PRECISION_BITS - 1))
    for x, (start, taps) in enumerate(weights):
        window = image[:, start : start + len(taps)].astype(np.int32)
        total = np.einsum("hkc,k->hc", window, taps, dtype=np.int32) + half
        out[:, x] = np.clip(total >> PRECISION_BITS, 0, 255)
    return out
