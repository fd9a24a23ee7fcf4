"""Each image, or each channel of a window, by its own mean and standard deviation."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice
from packager.model.contract import Call, ContractType, ImageType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_size, need_tensor

SUMMARY = "minus the mean of an image, a window or each of its channels, over the standard deviation"


class Params(StepParams):
    """Whose guard against a flat image is used."""

    like: Literal["tensorflow", "keras"] = Field(
        description="tensorflow: divides by max(std, 1 / sqrt(n)); keras (ImageDataGenerator): by std + 1e-6."
    )
    per: Literal["all", "channel"] = Field(
        default="all",
        description="all: one mean and deviation of all values; channel: of each channel (the last axis) of a tensor.",
    )


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Image h x w of c channels -> float32[1, h, w, c]; float32 tensor -> the same shape."""
    if isinstance(value, ImageType):
        if bound.per == "channel":
            raise StepMismatchError(
                f"`per: channel` works on a float32 tensor, but the value before it is {value}",
                "float32",
                "put `normalize: {mean: 0, std: 1}` before it",
            )
        width, height = need_size("standardize", value)
        return TensorType("float32", (1, height, width, value.channels))
    return TensorType("float32", need_tensor("standardize", value).shape)


def apply(bound: Params, value: Array) -> Array:
    """All n values of all channels, or of each channel, in float64, rounded once at the end.

    uint8 [h, w, c] -> float32 [1, h, w, c], by the histogram: mean = (sum of v * count[v]) / n;
    variance = (sum over v = 0..255 of count[v] * (v - mean)^2) / n.
    float32 -> the same shape: sums in index order; variance = (sum of (x - mean)^2) / n.
    Result (float)((v - mean) / d), d = max(sqrt(variance), 1 / sqrt(n)) or sqrt(variance) + 1e-6.
    """
    if bound.per == "channel":
        columns = value.reshape(-1, value.shape[-1])
        each = [_standardized(bound.like, columns[:, c]) for c in range(columns.shape[1])]
        return np.stack(each, axis=1).reshape(value.shape)
    return _standardized(bound.like, value)


def _standardized(like: str, value: Array) -> Array:
    if value.dtype == np.uint8:
        count = np.bincount(value.reshape(-1), minlength=256)
        mean = float((count * np.arange(256)).sum()) / value.size
        variance = _sum(count * (np.arange(256, dtype=np.float64) - mean) ** 2) / value.size
        wide = value[None].astype(np.float64)
    else:
        wide = value.astype(np.float64)
        mean = _sum(wide) / value.size
        variance = _sum((wide - mean) ** 2) / value.size
    return ((wide - mean) / divisor(like, variance, value.size)).astype(np.float32)


def divisor(like: str, variance: float, size: int) -> float:
    """What the centred values are divided by."""
    spread = float(np.sqrt(np.float64(variance)))
    return max(spread, 1.0 / float(np.sqrt(np.float64(size)))) if like == "tensorflow" else spread + 1e-6


def _sum(values: Array) -> float:
    """Sum in index order (`sum` of numpy adds in pairs)."""
    return float(np.cumsum(values.reshape(-1))[-1])


def call(bound: Params, value: ContractType) -> Call:
    """`standardize(guard)`: image -> float32 tensor; `standardize_floats(guard, channels)`: tensor -> tensor.

    `channels` is 1 for all values together.
    """
    output = result_type(bound, value)
    assert isinstance(output, TensorType)
    arguments = (("guard", Choice("spread_guard", bound.like)),)
    if isinstance(value, ImageType):
        return Call("standardize", arguments, output, aligned(4 * output.size) + aligned(4 * 256))
    channels = output.shape[-1] if bound.per == "channel" else 1
    floats = (*arguments, ("channels", channels))
    return Call("standardize_floats", floats, output, aligned(4 * output.size))
