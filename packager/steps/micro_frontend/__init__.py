"""The integer audio features of TensorFlow Lite Micro."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice, Constant, Float32
from packager.model.contract import AudioType, Call, ContractType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned
from packager.steps.micro_frontend._frontend import Frontend
from packager.steps.micro_frontend._tables import SNR_BITS, Settings, Tables, tables

SUMMARY = "audio to the micro frontend's features, equal to the bit to TensorFlow Lite Micro (pymicro-features 2.0.2)"
LARGEST_FFT = 2048

Hertz = Annotated[float, Field(ge=0, le=96_000)]
Part = Annotated[float, Field(ge=0, le=1)]


class Params(StepParams):
    """The frontend's settings by the names of TensorFlow's `audio_microfrontend`, and which frames are kept."""

    frames: Annotated[int, Field(gt=0, le=10_000)] = Field(description="Frames that the model takes.")
    every: Annotated[int, Field(gt=0, le=100)] = Field(default=1, description="2 keeps every second frame.")
    at: Literal["first", "last"] = Field(default="first", description="Which frames of longer audio are kept.")
    short: Literal["refuse", "pad"] = Field(
        default="refuse", description="Audio that is too short: refused, or followed by silence."
    )
    rate: Annotated[int, Field(gt=0, le=192_000)] = Field(default=16_000, description="Samples per second.")
    window_size: Annotated[int, Field(gt=0, le=1000)] = Field(default=30, description="Milliseconds of a window.")
    window_step: Annotated[int, Field(gt=0, le=1000)] = Field(default=10, description="Milliseconds between windows.")
    num_channels: Annotated[int, Field(gt=0, le=256)] = Field(default=40, description="Features of a frame.")
    lower_band_limit: Hertz = Field(default=125.0, description="Lowest frequency in Hz.")
    upper_band_limit: Hertz = Field(default=7500.0, description="Highest frequency in Hz.")
    smoothing_bits: Annotated[int, Field(ge=0, le=16)] = Field(default=10, description="Extra bits of the noise.")
    even_smoothing: Part = Field(default=0.025, description="Weight of a new frame in the noise, even channels.")
    odd_smoothing: Part = Field(default=0.06, description="The same of odd channels.")
    min_signal_remaining: Part = Field(default=0.05, description="Part of the signal that is never taken away.")
    enable_pcan: bool = Field(default=True, description="Per-channel automatic gain control.")
    pcan_strength: Part = Field(default=0.95, description="Exponent of the gain control.")
    pcan_offset: Annotated[float, Field(gt=0, le=1e6)] = Field(default=80.0, description="Added to the noise.")
    gain_bits: Annotated[int, Field(ge=12, le=30)] = Field(default=21, description="Fraction bits of the gain.")
    enable_log: bool = Field(default=True, description="Natural logarithm of the result.")
    scale_shift: Annotated[int, Field(ge=0, le=10)] = Field(default=6, description="Fraction bits of the logarithm.")
    scale: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.0390625, description="The integer features times this (a float32 number) are the result: 10 / 256."
    )

    @property
    def needed(self) -> int:
        """Frames from the first to the last that is kept."""
        return (self.frames - 1) * self.every + 1


def settings(bound: Params) -> Settings:
    """What the tables depend on, lengths in samples."""
    return Settings(
        rate=bound.rate,
        window=bound.window_size * bound.rate // 1000,
        step=bound.window_step * bound.rate // 1000,
        channels=bound.num_channels,
        lower=bound.lower_band_limit,
        upper=bound.upper_band_limit,
        smoothing_bits=bound.smoothing_bits,
        smoothing=(bound.even_smoothing, bound.odd_smoothing),
        remaining=bound.min_signal_remaining,
        gain=bound.enable_pcan,
        strength=bound.pcan_strength,
        offset=bound.pcan_offset,
        gain_bits=bound.gain_bits,
    )


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Mono audio -> float32[1, frames, num_channels]. `StepMismatchError` for other audio or impossible settings."""
    if not isinstance(value, AudioType):
        raise StepMismatchError(f"`micro_frontend` works on audio, but the value before it is {value}", "audio")
    if value.channels != 1 or value.rate != bound.rate:
        raise StepMismatchError(
            f"`micro_frontend` works on one channel at {bound.rate} Hz, but the value before it is {value}",
            f"mono audio at {bound.rate} Hz",
        )
    _check(settings(bound))
    samples = samples_needed(bound)
    if value.max_frames < samples and bound.short == "refuse":
        raise StepMismatchError(
            f"{bound.frames} frames need {samples} samples, but at most {value.max_frames} are accepted",
            f"`accepts:` with at least {samples / bound.rate:g} s",
            "accept longer audio, take fewer frames, or pad with `short: pad`",
        )
    return TensorType("float32", (1, bound.frames, bound.num_channels))


def _check(s: Settings) -> None:
    """`StepMismatchError` where the tables cannot be made."""
    if not 0 < s.step <= s.window or not 64 <= s.fft <= LARGEST_FFT:
        raise StepMismatchError(
            f"windows of {s.window} samples every {s.step}", f"33 to {LARGEST_FFT} samples, a step that is no longer"
        )
    if not s.lower < s.upper <= s.rate / 2:
        raise StepMismatchError(f"bands from {s.lower:g} to {s.upper:g} Hz at {s.rate} Hz", "lower < upper <= rate / 2")
    if s.gain and (s.gain_shift < 0 or s.smoothing_bits < s.correction_bits):
        raise StepMismatchError(
            f"`gain_bits` {s.gain_bits} and `smoothing_bits` {s.smoothing_bits} for windows of {s.window} samples",
            f"at least {SNR_BITS + s.correction_bits} and {s.correction_bits}",
        )
    found = tables(s)
    if found.start + len(found.weights) > s.fft // 2:
        raise StepMismatchError(f"bands up to {s.upper:g} Hz at {s.rate} Hz", "an upper limit below half of the rate")


def samples_needed(bound: Params) -> int:
    """Samples of the shortest audio that has all frames."""
    s = settings(bound)
    return s.window + (bound.needed - 1) * s.step


def apply(bound: Params, value: Array) -> Array:
    """int16 [n, 1] -> float32 [1, frames, num_channels].

    The whole audio is one stream. Of its frames, `every` apart, the first or the last `frames` are kept; the noise is
    learnt from all frames before. The integers times `scale`, in float32. `ValueError` for audio that is too short.
    """
    samples, least = value.reshape(-1), samples_needed(bound)
    if samples.size < least and bound.short == "refuse":
        raise ValueError(f"{least} samples are needed, got {samples.size}")
    padded = np.concatenate([samples, np.zeros(max(0, least - samples.size), np.int16)])
    features = Frontend(settings(bound), bound.scale_shift if bound.enable_log else None).process(padded)
    first = 0 if bound.at == "first" else len(features) - bound.needed
    kept = features[first : first + bound.needed : bound.every]
    result: Array = kept.astype(np.float32)[None] * np.float32(bound.scale)
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`micro_frontend(window, cosines, widths, weights, unweights, gains, noise, ...)`: Audio -> float32 tensor.

    The tables are `_tables.Tables`; `noise` holds smoothing bits, even and odd smoothing, and the part that remains.
    """
    s, output = settings(bound), result_type(bound, value)
    assert isinstance(output, TensorType)
    return Call("micro_frontend", _arguments(bound, s, tables(s)), output, _workspace(s, output))


def _arguments(bound: Params, s: Settings, t: Tables) -> tuple[tuple[str, Constant], ...]:
    return (
        ("window", t.window),
        ("cosines", t.cosines),
        ("widths", t.widths),
        ("weights", t.weights),
        ("unweights", t.unweights),
        ("gains", t.gains or (0,)),
        ("noise", (s.smoothing_bits, *t.smoothing, t.remaining)),
        ("first_bin", t.start),
        ("step", s.step),
        ("gain", bound.enable_pcan),
        ("gain_shift", s.gain_shift),
        ("log", bound.enable_log),
        ("log_shift", bound.scale_shift),
        ("frames", bound.frames),
        ("every", bound.every),
        ("place", Choice("frame_place", bound.at)),
        ("pad", bound.short == "pad"),
        ("scale", Float32(bound.scale)),
    )


def _workspace(s: Settings, output: TensorType) -> int:
    """Result; real, imaginary and order of the transform; the window; noise and signal of each channel."""
    transform = 3 * aligned(2 * (s.fft // 2)) + aligned(2 * s.window)
    return aligned(4 * output.size) + transform + 2 * aligned(4 * s.channels)
