"""Pixels or numbers to the model's float range: (x - mean) / std."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator, Field

from packager.core.constants import Choice, Constant, Float32
from packager.model.contract import Call, ContractType, ImageType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_size, need_tensor
from packager.steps.quantize import quantize

SUMMARY = "(x - mean) / std per channel; pixels go through an exact 256-entry table"
NEEDS: tuple[str, ...] = ("quantize",)


def _numbers(value: object) -> object:
    """A number stands for all channels; a list becomes a tuple."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Numbers = Annotated[
    tuple[Annotated[float, Field(allow_inf_nan=False)], ...],
    BeforeValidator(_numbers, json_schema_input_type=float | list[float]),
    Field(min_length=1, max_length=4096),
]
Spreads = Annotated[
    tuple[Annotated[float, Field(allow_inf_nan=False, gt=0)], ...],
    BeforeValidator(_numbers, json_schema_input_type=float | list[float]),
    Field(min_length=1, max_length=4096),
]


class Params(StepParams):
    """What is subtracted and divided by: one number, or one for each channel."""

    mean: Numbers = Field(description="Subtracted: a number, or a list with one for each channel.")
    std: Spreads = Field(description="Divided by, after the mean: a number, or a list with one for each channel.")


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Image h x w of c channels -> float32[1, h, w, c]; float32 tensor -> the same shape."""
    if isinstance(value, ImageType):
        width, height = need_size("normalize", value)
        _check(bound, value.channels)
        return TensorType("float32", (1, height, width, value.channels))
    tensor = need_tensor("normalize", value)
    _check(bound, tensor.shape[-1] if tensor.shape else 1)
    return TensorType("float32", tensor.shape)


def _check(bound: Params, channels: int) -> None:
    for name, numbers in (("mean", bound.mean), ("std", bound.std)):
        if len(numbers) not in (1, channels):
            raise StepMismatchError(
                f"`normalize` has {len(numbers)} numbers in `{name}`, but the value has {channels} channels",
                f"one number, or {channels}",
            )


def per_channel(bound: Params, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std by channel, for the metadata of model files."""
    return _spread(bound.mean, channels), _spread(bound.std, channels)


def table(mean: float, std: float) -> Array:
    """float32[256]: (float)((v - mean) / std), computed in float64 for v = 0..255."""
    return ((np.arange(256, dtype=np.float64) - mean) / std).astype(np.float32)


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, c] -> float32 [1, h, w, c] by one table per channel.

    float32 [..., c] -> the same shape in single operations: t = x - (float)mean, then t / (float)std, each rounded.
    """
    channels = value.shape[-1] if value.ndim else 1
    mean, std = _spread(bound.mean, channels), _spread(bound.std, channels)
    if value.dtype != np.uint8:
        return (value.astype(np.float32) - np.array(mean, np.float32)) / np.array(std, np.float32)
    out = np.empty((1, *value.shape), np.float32)
    for channel in range(channels):
        out[0, ..., channel] = table(mean[channel], std[channel])[value[..., channel]]
    return out


def _spread(numbers: tuple[float, ...], channels: int) -> tuple[float, ...]:
    return numbers * channels if len(numbers) == 1 else numbers


def call(bound: Params, value: ContractType) -> Call:
    """`normalize(mean, std, order)`: image -> float32 tensor; `normalize_floats(mean, std)`: tensor -> tensor."""
    if isinstance(value, ImageType):
        return image_call(bound, value, "grey" if value.channels == 1 else "rgb")
    tensor = need_tensor("normalize", value)
    output = result_type(bound, value)
    mean, std = equal_length(bound)
    arguments: tuple[tuple[str, Constant], ...] = (
        ("mean", tuple(Float32(x) for x in mean)),
        ("std", tuple(Float32(x) for x in std)),
    )
    return Call("normalize_floats", arguments, output, aligned(4 * tensor.size))


def fuse(bound: Params, value: ContractType, following: Sequence[tuple[str, Any]]) -> tuple[Call, int] | None:
    """With a following `quantize`, pixels go straight to int8."""
    if not isinstance(value, ImageType):
        return None
    return fuse_order(bound, value, "grey" if value.channels == 1 else "rgb", following)


def fuse_order(
    bound: Params, value: ImageType, order: str, following: Sequence[tuple[str, Any]]
) -> tuple[Call, int] | None:
    """`fuse` for an image whose channels are also reordered (`channels` uses it)."""
    if not following or following[0][0] != "quantize":
        return None
    return quantized_call(bound, value, order, following[0][1]), 1


def image_call(bound: Params, value: ImageType, order: str) -> Call:
    """`normalize`: order `rgb` leaves three channels as they are, `bgr` exchanges first and third, `grey` is one."""
    output = result_type(bound, value)
    assert isinstance(output, TensorType)
    workspace = aligned(4 * output.size) + aligned(4 * 256 * len(equal_length(bound)[0]))
    return Call("normalize", _table_arguments(bound, order), output, workspace)


def quantized_call(bound: Params, value: ImageType, order: str, quantizer: Any) -> Call:
    """`normalize_quantize(mean, std, order, scale, zero_point)`: image -> int8 tensor by composed tables."""
    shape = result_type(bound, value)
    assert isinstance(shape, TensorType)
    arguments = (
        *_table_arguments(bound, order),
        ("scale", Float32(quantizer.scale)),
        ("zero_point", quantizer.zero_point),
    )
    workspace = aligned(shape.size) + aligned(256 * len(equal_length(bound)[0]))
    return Call("normalize_quantize", arguments, TensorType("int8", shape.shape), workspace)


def _table_arguments(bound: Params, order: str) -> tuple[tuple[str, Constant], ...]:
    mean, std = equal_length(bound)
    return (("mean", mean), ("std", std), ("order", Choice("channel_order", order)))


def equal_length(bound: Params) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std as tuples of the same length: 1 where one number serves all channels, else one per channel."""
    length = max(len(bound.mean), len(bound.std))
    return _spread(bound.mean, length), _spread(bound.std, length)


def quantized_table(mean: float, std: float, scale: float, zero_point: int) -> Array:
    """int8[256]: the composition of `table` and `quantize`."""
    return quantize(table(mean, std), scale, zero_point)
