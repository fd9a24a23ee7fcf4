"""Resizing of the last two dimensions (MIL ops resize*, upsample*)."""

from __future__ import annotations

import numpy as np

from packager.runtimes.coreml.mil.errors import UnsupportedOp
from packager.runtimes.coreml.mil.registry import Array, Ints, ints, op


def _grid(size: int, target: int, sampling_mode: str) -> Array:
    """float64[target]: where in 0 .. size - 1 each output element is sampled. MIL iOS15 `resize_bilinear`."""
    i = np.arange(target, dtype=np.float64)
    if sampling_mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        if target == 1:
            points = np.full(1, (size - 1) / 2 if sampling_mode == "ALIGN_CORNERS" else 0.0)
        else:
            points = i * ((size - 1) / (target - 1))
    elif sampling_mode == "DEFAULT":
        points = i * (size / target)
    elif sampling_mode == "OFFSET_CORNERS":
        points = (i + 0.5) * (max(1, size - 1) / target)
    elif sampling_mode == "UNALIGN_CORNERS":
        points = (i + 0.5) * (size / target) - 0.5
    else:
        raise ValueError(f"unknown sampling mode {sampling_mode!r}")
    return np.clip(points, 0, size - 1)


def _linear(x: Array, axis: int, target: int, sampling_mode: str) -> Array:
    """x resampled along one axis between the two nearest elements."""
    size = x.shape[axis]
    points = _grid(size, target, sampling_mode)
    lower = np.floor(points).astype(np.int64)
    upper = np.minimum(lower + 1, size - 1)
    shape = [1] * x.ndim
    shape[axis] = target
    weight = (points - lower).astype(np.float32).reshape(shape)
    low, high = np.take(x, lower, axis=axis), np.take(x, upper, axis=axis)
    return low + (high - low) * weight


def _bilinear(x: Array, height: int, width: int, sampling_mode: str) -> Array:
    return _linear(_linear(x, x.ndim - 2, height, sampling_mode), x.ndim - 1, width, sampling_mode)


def _nearest(x: Array, axis: int, target: int, *, half_pixel: bool) -> Array:
    """x along one axis at floor((i + 0.5 or 0) * size / target), in integers."""
    size, i = x.shape[axis], np.arange(target)
    index = (2 * i + 1) * size // (2 * target) if half_pixel else i * size // target
    return np.take(x, index, axis=axis)


@op("resize_bilinear")
def resize_bilinear(
    x: Array, target_size_height: int = 1, target_size_width: int = 1, sampling_mode: str = "DEFAULT"
) -> Array:
    """x f[*, h, w] -> f[*, target height, target width]. MIL iOS15 `resize_bilinear`."""
    return _bilinear(x, int(target_size_height), int(target_size_width), sampling_mode)


@op("upsample_bilinear")
def upsample_bilinear(
    x: Array,
    scale_factor_height: float = 1,
    scale_factor_width: float = 1,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Array:
    """x f[*, h, w] -> f[*, floor(h * scale), floor(w * scale)]. MIL iOS16 `upsample_bilinear`.

    The scale is computed again from the sizes, as by PyTorch's recompute_scale_factor.
    """
    half = not align_corners if half_pixel_centers is None else bool(half_pixel_centers)
    if align_corners and half:
        raise UnsupportedOp("upsample_bilinear", reason="align_corners with half_pixel_centers")
    mode = "STRICT_ALIGN_CORNERS" if align_corners else "UNALIGN_CORNERS" if half else "DEFAULT"
    height, width = _scaled(x, scale_factor_height, scale_factor_width)
    return _bilinear(x, height, width, mode)


@op("resize_nearest_neighbor", keeps_values=True)
def resize_nearest_neighbor(x: Array, target_size_height: int, target_size_width: int) -> Array:
    """x f[*, h, w] -> f[*, target height, target width], half-pixel centres. MIL iOS15 op of that name.

    The TensorFlow front end emits it for half_pixel_centers=True.
    """
    rows = _nearest(x, x.ndim - 2, int(target_size_height), half_pixel=True)
    return _nearest(rows, x.ndim - 1, int(target_size_width), half_pixel=True)


@op("upsample_nearest_neighbor", keeps_values=True)
def upsample_nearest_neighbor(x: Array, scale_factor_height: float = 1, scale_factor_width: float = 1) -> Array:
    """x f[*, h, w] -> f[*, floor(h * scale), floor(w * scale)], top-left corners. MIL iOS15 op of that name.

    The TensorFlow front end emits it for half_pixel_centers=False.
    """
    height, width = _scaled(x, scale_factor_height, scale_factor_width)
    rows = _nearest(x, x.ndim - 2, height, half_pixel=False)
    return _nearest(rows, x.ndim - 1, width, half_pixel=False)


@op("resize")
def resize(
    x: Array,
    shape: Ints,
    resized_dims: int,
    interpolation_mode: str = "LINEAR",
    sampling_mode: str = "DEFAULT",
) -> Array:
    """x [*] -> its last `resized_dims` sizes taken from the end of `shape`, 0 keeping one. MIL iOS17 `resize`.

    How NEAREST_NEIGHBOR rounds is not documented, so it is refused but for whole factors, where all ways agree.
    """
    count = int(resized_dims)
    targets = ints(shape)[len(ints(shape)) - count :]
    for axis, target in zip(range(x.ndim - count, x.ndim), targets, strict=True):
        size = target or x.shape[axis]
        if interpolation_mode == "LINEAR":
            x = _linear(x, axis, size, sampling_mode)
        elif size % x.shape[axis] == 0 and sampling_mode in ("DEFAULT", "UNALIGN_CORNERS"):
            x = _nearest(x, axis, size, half_pixel=False)
        else:
            raise UnsupportedOp("resize", reason=f"{interpolation_mode} from {x.shape[axis]} to {size}")
    return x


def _scaled(x: Array, height: float, width: float) -> tuple[int, int]:
    """Sizes after scaling, as the op's own type inference computes them."""
    return int(np.floor(height * x.shape[-2])), int(np.floor(width * x.shape[-1]))
