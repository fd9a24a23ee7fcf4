"""Short-time Fourier transform: magnitude or power of each frame."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "magnitude or power of overlapping frames under a Hann window, as tf.signal.stft or librosa.stft"
TOLERANCE = (1e-6, 1e-5)
"""Between languages: |err| <= absolute + relative * |reference|."""

Length = Annotated[int, Field(gt=1, le=65_536)]


class Params(StepParams):
    """Frames, and whose they are."""

    frame: Length = Field(description="Samples of one frame under the window.")
    hop: Annotated[int, Field(gt=0, le=65_536)] = Field(description="Samples from one frame to the next.")
    fft: Length | None = Field(
        default=None,
        description="Length of the transform, factors 2, 3 and 5; the next power of two (tensorflow) or the frame "
        "(librosa) if left out.",
    )
    like: Literal["tensorflow", "librosa"] = Field(
        description="`tensorflow`: whole frames only; `librosa`: frames centred, zeros around the signal."
    )
    center: bool = Field(default=True, description="librosa only: whether frames are centred.")
    power: Literal[1, 2] = Field(default=2, description="1: magnitude, 2: power.")


def transform_length(bound: Params) -> int:
    """Length of the transform. `StepMismatchError` for one that is too short or has other factors than 2, 3, 5."""
    if bound.fft is not None:
        length = bound.fft
    else:
        length = 1 << (bound.frame - 1).bit_length() if bound.like == "tensorflow" else bound.frame
    rest = length
    for factor in (2, 3, 5):
        while rest % factor == 0:
            rest //= factor
    if rest != 1 or length < bound.frame or length % 2:
        raise StepMismatchError(
            f"a transform of {length} samples is not possible",
            f"an even length of at least {bound.frame} with the factors 2, 3 and 5",
            "set `fft`; a longer one only adds zeros to each frame",
        )
    return length


def first_sample(bound: Params) -> int:
    """Place of the first frame's first windowed sample; negative where zeros come before the signal."""
    length = transform_length(bound)
    if bound.like == "tensorflow":
        return 0
    return (length - bound.frame) // 2 - (length // 2 if bound.center else 0)


def frame_count(bound: Params, samples: int) -> int:
    """Number of frames of a signal; may be 0 or less where it is too short."""
    length = transform_length(bound)
    if bound.like == "tensorflow":
        return 1 + (samples - bound.frame) // bound.hop
    return 1 + samples // bound.hop if bound.center else 1 + (samples - length) // bound.hop


def result_type(bound: Params, value: ContractType) -> ContractType:
    """float32[1, n] -> float32[1, frames, fft / 2 + 1]. `StepMismatchError` for a signal without a whole frame."""
    tensor = need_tensor("spectrogram", value)
    if len(tensor.shape) != 2 or tensor.shape[0] != 1:
        raise StepMismatchError(f"`spectrogram` works on [1, n] samples, not on {tensor}", "[1, n]")
    frames = frame_count(bound, tensor.shape[1])
    if frames < 1:
        raise StepMismatchError(f"{tensor.shape[1]} samples hold no frame of {bound.frame}", "a longer signal")
    return TensorType("float32", (1, frames, transform_length(bound) // 2 + 1))


def window(frame: int) -> Array:
    """Periodic Hann window, float64 [frame]: 0.5 - 0.5 cos(2 pi i / frame)."""
    return 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(frame) / frame)


def apply(bound: Params, value: Array) -> Array:
    """float32 [1, n] -> float32 [1, frames, bins], in float64, rounded once.

    tensorflow 2.21 `tf.signal.stft(x, frame, hop, fft)`; librosa 0.11 `stft(x, n_fft, hop, win_length=frame)` with
    zeros around the signal. Their magnitudes do not depend on where the window lies in the transform.
    """
    signal, length = value[0].astype(np.float64), transform_length(bound)
    first, frames = first_sample(bound), frame_count(bound, signal.size)
    last = first + (frames - 1) * bound.hop + bound.frame
    padded = np.pad(signal, (max(0, -first), max(0, last - signal.size)))
    starts = np.arange(frames) * bound.hop + max(0, first)
    rows = padded[starts[:, None] + np.arange(bound.frame)] * window(bound.frame)
    spectrum = np.fft.rfft(rows, length)
    powers = spectrum.real**2 + spectrum.imag**2
    result: Array = (powers if bound.power == 2 else np.sqrt(powers)).astype(np.float32)[None]
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`spectrogram(frame, hop, fft, first, frames, power)`: float32 tensor -> float32 tensor."""
    output, length = result_type(bound, value), transform_length(bound)
    assert isinstance(output, TensorType)
    arguments = (
        ("frame", bound.frame),
        ("hop", bound.hop),
        ("fft", length),
        ("first", first_sample(bound)),
        ("frames", output.shape[1]),
        ("power", bound.power),
    )
    scratch = aligned(8 * (bound.frame + 1)) + 3 * aligned(16 * length)
    return Call("spectrogram", arguments, output, aligned(4 * output.size) + scratch)
