"""16-bit PCM to one channel of float samples of a fixed length."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from packager.model.contract import AudioType, Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned

SUMMARY = "audio to float samples in [-1, 1): channels averaged, cut or padded with zeros at the end"


class Params(StepParams):
    """How many samples the model, or the next step, takes."""

    samples: Annotated[int, Field(gt=0, le=1 << 24)] = Field(
        description="Length of the result; longer audio is cut, shorter audio is padded with zeros at its end."
    )


def result_type(bound: Params, value: ContractType) -> ContractType:
    """audio -> float32[1, samples]. `StepMismatchError` for anything else, or more than 16 channels."""
    if not isinstance(value, AudioType):
        raise StepMismatchError(f"`waveform` works on audio, but the value before it is {value}", "audio")
    if value.channels > 16:
        raise StepMismatchError(f"`waveform` averages at most 16 channels, not {value.channels}", "16 channels")
    return TensorType("float32", (1, bound.samples))


def apply(bound: Params, value: Array) -> Array:
    """int16 [frames, channels] -> float32 [1, samples].

    y = (float)(sum of the channels) / (float)(32768 * channels): the sum is exact, so there is one rounding.
    """
    frames, channels = value.shape
    kept = value[: bound.samples].astype(np.int32).sum(axis=1).astype(np.float32)
    result = np.zeros((1, bound.samples), np.float32)
    result[0, : min(frames, bound.samples)] = kept / np.float32(32768 * channels)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`waveform(samples)`: Audio -> float32 tensor."""
    arguments = (("samples", bound.samples),)
    return Call("waveform", arguments, result_type(bound, value), aligned(4 * bound.samples))
