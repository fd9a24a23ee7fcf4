"""Another sampling rate, as scipy's polyphase filter makes it."""

from __future__ import annotations

from math import gcd
from typing import Annotated

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "another sampling rate, as scipy.signal.resample_poly"
TOLERANCE = (1e-6, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""

MOST = 2048
"""Largest factor: the filter has 20 times as many taps."""

Rate = Annotated[int, Field(gt=0, le=768_000)]


class Params(StepParams):
    """Both sampling rates."""

    rate: Rate = Field(description="Samples per second before.")
    to: Rate = Field(description="Samples per second after.")


def factors(bound: Params) -> tuple[int, int]:
    """Up and down factors without a common divisor."""
    common = gcd(bound.rate, bound.to)
    return bound.to // common, bound.rate // common


def result_type(bound: Params, value: ContractType) -> ContractType:
    """float32[1, n] -> float32[1, ceil(n * up / down)]. `StepMismatchError` for rates of too odd a ratio."""
    tensor = need_tensor("resample", value)
    up, down = factors(bound)
    if len(tensor.shape) != 2 or tensor.shape[0] != 1:
        raise StepMismatchError(f"`resample` works on [1, n] samples, but the value before it is {tensor}", "[1, n]")
    if max(up, down) > MOST:
        raise StepMismatchError(
            f"{bound.rate} to {bound.to} is a ratio of {up} to {down}", f"both at most {MOST}", "record at another rate"
        )
    return TensorType("float32", (1, -(-tensor.shape[1] * up // down)))


def apply(bound: Params, value: Array) -> Array:
    """float32 [1, n] -> float32 [1, m], in float64, rounded once.

    y[i] = sum over k of x[k] h[half + i down - k up], half = 10 max(up, down), h = up * (Kaiser-windowed sinc of
    2 half + 1 taps, beta 5, cut-off 1 / max(up, down), sum 1): scipy 1.14, `resample_poly` with its defaults.
    """
    from scipy.signal import resample_poly

    up, down = factors(bound)
    result: Array = resample_poly(value.astype(np.float64), up, down, axis=1).astype(np.float32)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`resample_polyphase(up, down)`: float32 tensor -> float32 tensor."""
    output = result_type(bound, value)
    assert isinstance(output, TensorType)
    up, down = factors(bound)
    taps = 10 * max(up, down) + 1
    workspace = aligned(4 * output.size) + aligned(8 * taps)
    return Call("resample_polyphase", (("up", up), ("down", down)), output, workspace)
