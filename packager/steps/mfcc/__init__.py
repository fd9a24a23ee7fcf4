"""Cepstral coefficients of a logarithmic mel spectrogram."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice
from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "cepstral coefficients of log mel values (DCT-II), as tensorflow or librosa scale them"
TOLERANCE = (1e-6, 1e-6)
"""Between languages: |err| <= absolute + relative * |reference|."""


class Params(StepParams):
    """How many coefficients, and whose scale."""

    count: Annotated[int, Field(gt=0, le=1024)] = Field(description="Coefficients that are kept, from the first.")
    like: Literal["tensorflow", "librosa"] = Field(
        description="`tensorflow`: all scaled alike; `librosa`: orthonormal, the first one by 1/sqrt(2) of the others."
    )


def result_type(bound: Params, value: ContractType) -> ContractType:
    """float32[1, frames, n] -> float32[1, frames, count]. `StepMismatchError` for more coefficients than values."""
    tensor = need_tensor("mfcc", value)
    if len(tensor.shape) != 3:
        raise StepMismatchError(
            f"`mfcc` works on log mel values, but the value before it is {tensor}", "[1, frames, n]"
        )
    if bound.count > tensor.shape[2]:
        raise StepMismatchError(f"{bound.count} coefficients of {tensor.shape[2]} values", f"at most {tensor.shape[2]}")
    return TensorType("float32", (*tensor.shape[:2], bound.count))


def apply(bound: Params, value: Array) -> Array:
    """float32 [1, frames, n] -> float32 [1, frames, count].

    c_k = sqrt(2 / n) sum of x_i cos(pi k (2 i + 1) / (2 n)) in float64, rounded once; librosa's c_0 by sqrt(1 / n).
    tensorflow 2.21 `mfccs_from_log_mel_spectrograms`; librosa 0.11 `feature.mfcc` with its defaults.
    """
    n = value.shape[2]
    k, i = np.arange(bound.count)[None, :], np.arange(n)[:, None]
    matrix = np.sqrt(2.0 / n) * np.cos(np.pi * k * (2 * i + 1) / (2.0 * n))
    if bound.like == "librosa":
        matrix[:, 0] = np.sqrt(1.0 / n)
    result: Array = (value.astype(np.float64) @ matrix).astype(np.float32)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`mfcc(columns, count, scaling)`: float32 tensor -> float32 tensor."""
    tensor, output = need_tensor("mfcc", value), result_type(bound, value)
    assert isinstance(output, TensorType)
    columns = tensor.shape[2]
    arguments = (
        ("columns", columns),
        ("count", bound.count),
        ("scaling", Choice("cepstral_scaling", "alike" if bound.like == "tensorflow" else "orthonormal")),
    )
    return Call("mfcc", arguments, output, aligned(4 * output.size) + aligned(8 * columns * bound.count))
