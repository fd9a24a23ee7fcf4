"""Mel filter bank over a spectrogram."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Constant, Float32
from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "mel filter bank, as tf.signal.linear_to_mel_weight_matrix or librosa.filters.mel"
TOLERANCE = (1e-7, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""

Hertz = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Params(StepParams):
    """The filters."""

    bins: Annotated[int, Field(gt=0, le=1024)] = Field(description="Number of filters.")
    rate: Annotated[int, Field(gt=0, le=768_000)] = Field(description="Samples per second of the signal.")
    low: Hertz = Field(default=0.0, description="Lower edge of the first filter in Hz.")
    high: Hertz | None = Field(default=None, description="Upper edge of the last filter in Hz; half the rate.")
    like: Literal["tensorflow", "librosa"] = Field(
        description="`tensorflow`: triangles on the mel axis, the lowest bin in none; `librosa`: on the Hz axis."
    )
    scale: Literal["htk", "slaney"] = Field(default="htk", description="Mel scale; tensorflow has only `htk`.")
    norm: Literal["none", "slaney"] = Field(
        default="none", description="librosa only: `slaney` divides each filter by half its width in Hz."
    )


def result_type(bound: Params, value: ContractType) -> ContractType:
    """float32[1, frames, fft / 2 + 1] -> float32[1, frames, bins]. `StepMismatchError` for edges out of order."""
    tensor = need_tensor("mel", value)
    if len(tensor.shape) != 3 or tensor.shape[2] < 2:
        raise StepMismatchError(f"`mel` works on a spectrogram, but the value before it is {tensor}", "[1, frames, n]")
    high = bound.rate / 2 if bound.high is None else bound.high
    if not bound.low < high <= bound.rate / 2:
        raise StepMismatchError(
            f"filters from {bound.low:g} to {high:g} Hz", f"low < high <= {bound.rate / 2:g}, half the rate"
        )
    if bound.like == "tensorflow" and (bound.scale, bound.norm) != ("htk", "none"):
        raise StepMismatchError(
            "tensorflow has only the HTK scale, without norm", "`scale: htk, norm: none`", "or `like: librosa`"
        )
    return TensorType("float32", (*tensor.shape[:2], bound.bins))


def weights(bound: Params, bins: int) -> Array:
    """float32 [bins of the spectrogram, filters].

    tensorflow 2.21 `linear_to_mel_weight_matrix`; librosa 0.11 `filters.mel`, both in float64, rounded once.
    """
    return _weights(bound, bins)


@cache
def _weights(bound: Params, bins: int) -> Array:
    high = bound.rate / 2 if bound.high is None else bound.high
    hertz = np.linspace(0.0, bound.rate / 2, bins)
    to_mel, to_hertz = (_htk, _from_htk) if bound.scale == "htk" else (_slaney, _from_slaney)
    edges = np.linspace(to_mel(np.array(bound.low)), to_mel(np.array(high)), bound.bins + 2)
    if bound.like == "tensorflow":
        axis = to_mel(hertz)
    else:
        axis, edges = hertz, to_hertz(edges)
    lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (axis[:, None] - lower) / (center - lower)
    falling = (upper - axis[:, None]) / (upper - center)
    matrix = np.maximum(0.0, np.minimum(rising, falling))
    if bound.like == "tensorflow":
        matrix[0] = 0.0
    if bound.norm == "slaney":
        matrix = matrix * (2.0 / (upper - lower))
    result: Array = matrix.astype(np.float32)
    return result


def _htk(hertz: Array) -> Array:
    return 1127.0 * np.log1p(hertz / 700.0)


def _from_htk(mel: Array) -> Array:
    return 700.0 * np.expm1(mel / 1127.0)


def _slaney(hertz: Array) -> Array:
    """Linear below 1 kHz, logarithmic above (M. Slaney, Auditory Toolbox, 1998)."""
    step = np.log(6.4) / 27.0
    return np.where(hertz >= 1000.0, 15.0 + np.log(np.maximum(hertz, 1.0) / 1000.0) / step, hertz * 3.0 / 200.0)


def _from_slaney(mel: Array) -> Array:
    step = np.log(6.4) / 27.0
    return np.where(mel >= 15.0, 1000.0 * np.exp(step * (mel - 15.0)), mel * 200.0 / 3.0)


def apply(bound: Params, value: Array) -> Array:
    """float32 [1, frames, n] -> float32 [1, frames, bins]: sums of products in float64, rounded once."""
    matrix = weights(bound, value.shape[2]).astype(np.float64)
    result: Array = (value.astype(np.float64) @ matrix).astype(np.float32)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`mel(columns, starts, counts, weights)`: float32 tensor -> float32 tensor.

    Filter i takes `counts[i]` bins from bin `starts[i]`; its weights follow those of the filter before it.
    """
    tensor, output = need_tensor("mel", value), result_type(bound, value)
    assert isinstance(output, TensorType)
    matrix = weights(bound, tensor.shape[2])
    starts, counts, flat = [], [], []
    for column in matrix.T:
        used = np.flatnonzero(column)
        start, end = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 0)
        starts.append(start)
        counts.append(end - start)
        flat += [float(weight) for weight in column[start:end]]
    arguments: tuple[tuple[str, Constant], ...] = (
        ("columns", tensor.shape[2]),
        ("starts", tuple(starts)),
        ("counts", tuple(counts)),
        ("weights", tuple(Float32(weight) for weight in flat or [0.0])),
    )
    return Call("mel", arguments, output, aligned(4 * output.size))
