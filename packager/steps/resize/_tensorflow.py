"""TensorFlow 2.21's `tf.image.resize` (half-pixel centres), in float32: nearest exact, bilinear within 4 ULP of the
largest magnitude. Sources: kernels ResizeNearestNeighbor, ResizeBilinear and, with antialias, ScaleAndTranslate.

Every operation is one rounded float32 operation, so that all languages give the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
F = np.float32
TINY = F(1000.0) * np.finfo(np.float32).tiny


def nearest_indices(size: int, out: int) -> Array:
    """min(int(floor((x + 0.5f) * scale)), size - 1), scale = (float)size / (float)out."""
    positions = (np.arange(out, dtype=F) + F(0.5)) * (F(size) / F(out))
    result: Array = np.minimum(np.floor(positions).astype(np.int64), size - 1)
    return result


def nearest(image: Array, width: int, height: int) -> Array:
    """uint8 [h, w, c] -> uint8 [height, width, c]."""
    rows, columns = nearest_indices(image.shape[0], height), nearest_indices(image.shape[1], width)
    result: Array = image[rows][:, columns]
    return result


def pairs(size: int, out: int) -> tuple[Array, Array, Array]:
    """Lower and upper input index and the upper one's share, for every output index.

    p = (x + 0.5f) * scale - 0.5f, scale = (float)size / (float)out; lower = max(floor(p), 0);
    upper = min(floor(p) + 1, size - 1); share = p - floor(p).
    """
    positions = (np.arange(out, dtype=F) + F(0.5)) * (F(size) / F(out)) - F(0.5)
    floors = np.floor(positions)
    lower = np.maximum(floors.astype(np.int64), 0)
    upper = np.minimum(floors.astype(np.int64) + 1, size - 1)
    return lower, upper, positions - floors


def bilinear(image: Array, width: int, height: int) -> Array:
    """uint8 [h, w, c] -> float32 [height, width, c], four pixels each:

    top = tl + (tr - tl) * share_x; bottom = bl + (br - bl) * share_x; top + (bottom - top) * share_y.
    """
    left, right, across = pairs(image.shape[1], width)
    above, below, down = pairs(image.shape[0], height)
    pixels = image.astype(F)
    across = across[:, None]
    top = pixels[above][:, left] + (pixels[above][:, right] - pixels[above][:, left]) * across
    bottom = pixels[below][:, left] + (pixels[below][:, right] - pixels[below][:, left]) * across
    result: Array = top + (bottom - top) * down[:, None, None]
    return result


def spans(size: int, out: int) -> list[tuple[int, Array]]:
    """First input index and float32 weights of every output index, with antialias.

    inverse = 1 / ((float)out / (float)size); kernel = max(inverse, 1); for output x: sample = (x + 0.5f) * inverse;
    from = ceil(sample - kernel - 0.5f), to = floor(sample + kernel - 0.5f), inclusive, both clamped to 0..size - 1;
    w[i] = max(0, 1 - |((float)i + 0.5f - sample) * (1 / kernel)|); each is multiplied by 1 / (sum of w in index order),
    where that sum is at least 1000 times the smallest normal float.
    """
    inverse = F(1) / (F(out) / F(size))
    kernel = np.maximum(inverse, F(1))
    narrow = F(1) / kernel
    rows: list[tuple[int, Array]] = []
    for x in range(out):
        sample = (F(x) + F(0.5)) * inverse
        start = min(max(int(np.ceil(sample - kernel - F(0.5))), 0), size - 1)
        end = min(max(int(np.floor(sample + kernel - F(0.5))), 0), size - 1) + 1
        positions = (np.arange(start, end, dtype=F) + F(0.5) - sample) * narrow
        weights = np.maximum(F(0), F(1) - np.abs(positions))
        total = np.cumsum(weights, dtype=F)[-1]
        if np.abs(total) >= TINY:
            weights = weights * (F(1) / total)
        rows.append((start, weights))
    return rows


def taps(size: Any, out: Any) -> Any:
    """Most weights of an output index: min(2 * ceil(kernel) + 1, size). Works on numbers and arrays."""
    inverse = F(1) / (np.asarray(out, F) / np.asarray(size, F))
    return np.minimum(2 * np.ceil(np.maximum(inverse, F(1))).astype(np.int64) + 1, size)


def bilinear_antialias(image: Array, width: int, height: int) -> Array:
    """uint8 [h, w, c] -> float32 [height, width, c]: weighted sums of rows, then of columns, in index order."""
    between = _weighted(image.astype(F), spans(image.shape[0], height))
    return np.ascontiguousarray(_weighted(between.swapaxes(0, 1), spans(image.shape[1], width)).swapaxes(0, 1))


def _weighted(pixels: Array, rows: list[tuple[int, Array]]) -> Array:
    """float32 [n, ...] -> float32 [len(rows), ...]."""
    out = np.zeros((len(rows), *pixels.shape[1:]), F)
    for index, (start, weights) in enumerate(rows):
        for tap, weight in enumerate(weights):
            out[index] += pixels[start + tap] * weight
    return out
