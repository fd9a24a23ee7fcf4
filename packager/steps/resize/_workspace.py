"""Arena bytes of the C++ functions, mirrored from resize.hpp, for the image that needs most."""

from __future__ import annotations

from typing import Any

import numpy as np

from packager.model.contract import ImageType
from packager.steps._values import ALIGNMENT, Array, largest_frontier
from packager.steps.resize import _geometry, _pillow, _tensorflow


def pillow(image: ImageType, width: int, height: int, fit: _geometry.Fit, method: str) -> int:
    """Of `resize_pillow`."""
    w, h = largest_frontier(image)
    box_w, box_h, out_w, out_h = _geometry.place_arrays(w, h, width, height, fit)
    canvas = out_w * out_h if fit == "shorter" else np.int64(width * height)
    same = (box_w == out_w) & (box_h == out_h) if fit == "shorter" else (box_w == width) & (box_h == height)
    total = np.where(same, 0, _aligned(canvas * image.channels))
    horizontal, vertical = box_w != out_w, box_h != out_h
    if method == "nearest":
        return int(np.max(total + np.where(horizontal | vertical, _aligned(4 * out_w), 0)))
    support = _pillow.FILTERS[method][1]
    taps_h, taps_v = _taps(box_w, out_w, support), _taps(box_h, out_h, support)
    downwards = box_h - out_h > np.maximum(0, 2 * (box_w - out_w))
    between = np.where(downwards, box_w, out_w * taps_v) * image.channels
    total = total + np.where(horizontal, _aligned(8 * out_w) + _aligned(4 * out_w * taps_h), 0)
    total = total + np.where(horizontal & vertical, _aligned(between), 0)
    total = total + np.where(vertical, _aligned(4 * taps_v), 0)
    doubles = np.maximum(np.where(horizontal, taps_h, 0), np.where(vertical, taps_v, 0))
    return int(np.max(total + _aligned(8 * doubles)))


def _taps(size: Array, out: Array, support: float) -> Array:
    """Pillow's `ksize`: ceil(support * max(size / out, 1)) * 2 + 1."""
    return np.ceil(support * np.maximum(size / out, 1.0)).astype(np.int64) * 2 + 1


def opencv(image: ImageType, width: int, height: int, fit: _geometry.Fit, method: str) -> int:
    """Of `resize_opencv_nearest` and (method `bilinear`) `resize_opencv_linear`."""
    w, h = largest_frontier(image)
    box_w, box_h, out_w, out_h = _geometry.place_arrays(w, h, width, height, fit)
    total = np.where((box_w == width) & (box_h == height), 0, _aligned(width * height * image.channels))
    resampled = (box_w != out_w) | (box_h != out_h)
    if method == "nearest":
        return int(np.max(total + np.where(resampled, _aligned(4 * out_w), 0)))
    weighed = resampled & ~((box_w == 2 * out_w) & (box_h == 2 * out_h))
    return int(np.max(total + np.where(weighed, _aligned(16 * out_w) + 2 * _aligned(4 * out_w * image.channels), 0)))


def tensorflow(image: ImageType, width: int, height: int, fit: _geometry.Fit, method: str) -> int:
    """Of `resize_tensorflow_nearest`, `resize_tensorflow` and (method `antialias`) `resize_tensorflow_antialias`."""
    if method == "nearest":
        return int(_aligned(width * height * image.channels) + _aligned(4 * width))
    total = _aligned(4 * width * height * image.channels)
    if method == "bilinear":
        return int(total + _aligned(12 * width))
    w, h = largest_frontier(image)
    box_w, box_h, _, _ = _geometry.place_arrays(w, h, width, height, fit)
    across, down = _tensorflow.taps(box_w, width), _tensorflow.taps(box_h, height)
    tables = _aligned(8 * width) + _aligned(4 * width * across) + _aligned(4 * down)
    return int(np.max(total + tables + _aligned(4 * box_w * image.channels)))


def _aligned(count: Any) -> Any:
    return -(-count // ALIGNMENT) * ALIGNMENT
