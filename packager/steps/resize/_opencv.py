"""OpenCV 4.12.0's `cv2.resize` of 8-bit images, to the bit (modules/imgproc/src/resize.cpp).

Nearest takes one pixel for each. Linear weighs two pixels along each axis with 11 fractional bits; an image made
exactly half as wide and half as high is averaged instead, as OpenCV does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

COEFFICIENT_BITS = 11


def scale_of(size: int, out: int) -> float:
    """Input indices for one output index: 1 / (out / size), both divisions in float64."""
    return 1.0 / (out / size)


def nearest_indices(size: int, out: int) -> Array:
    """min(floor(x * scale), size - 1) in float64, for x = 0 .. out - 1."""
    indices: Array = np.minimum(np.floor(np.arange(out) * scale_of(size, out)).astype(np.int64), size - 1)
    return indices


def nearest(image: Array, width: int, height: int) -> Array:
    """uint8 [h, w, c] -> uint8 [height, width, c], `INTER_NEAREST`."""
    h, w = image.shape[:2]
    result: Array = image[nearest_indices(h, height)][:, nearest_indices(w, width)]
    return result


def pairs(size: int, out: int, clamp: bool) -> tuple[Array, Array, Array, Array]:
    """Lower and upper input index and their int32 weights of every output index.

    p = (float)((x + 0.5) * scale - 0.5), product and sum in float64; i = floor(p); share = p - i in float32; across
    (`clamp`) share is 0 where i < 0 (i becomes 0) or i >= size - 1 (i becomes size - 1); weights are 2048 * (1 - share)
    and 2048 * share in float32, rounded half to even; upper = i + 1; both indices are clamped to 0 .. size - 1.
    """
    exact = (np.arange(out) + 0.5) * scale_of(size, out) - 0.5
    position = exact.astype(np.float32)
    index = np.floor(position).astype(np.int64)
    share = position - index.astype(np.float32)
    if clamp:
        share = np.where((index < 0) | (index >= size - 1), np.float32(0), share)
        index = np.clip(index, 0, size - 1)
    one = np.float32(1 << COEFFICIENT_BITS)
    weights = [np.rint(part * one).astype(np.int32) for part in (np.float32(1) - share, share)]
    return np.clip(index, 0, size - 1), np.clip(index + 1, 0, size - 1), weights[0], weights[1]


def linear(image: Array, width: int, height: int) -> Array:
    """uint8 [h, w, c] -> uint8 [height, width, c], `INTER_LINEAR`.

    Rows: r = left * a0 + right * a1 in int32. Result: (((r_above >> 4) * b0 >> 16) + ((r_below >> 4) * b1 >> 16) + 2)
    >> 2. Where w = 2 * width and h = 2 * height: (sum of the four pixels + 2) >> 2. The same size is a copy.
    """
    h, w = image.shape[:2]
    if (h, w) == (height, width):
        return image
    wide = image.astype(np.int32)
    if (h, w) == (2 * height, 2 * width):
        return ((wide[::2, ::2] + wide[::2, 1::2] + wide[1::2, ::2] + wide[1::2, 1::2] + 2) >> 2).astype(np.uint8)
    left, right, a0, a1 = pairs(w, width, clamp=True)
    above, below, b0, b1 = pairs(h, height, clamp=False)
    rows = (wide[:, left] * a0[:, None] + wide[:, right] * a1[:, None]) >> 4
    top, bottom = rows[above] * b0[:, None, None] >> 16, rows[below] * b1[:, None, None] >> 16
    result: Array = ((top + bottom + 2) >> 2).astype(np.uint8)
    return result
