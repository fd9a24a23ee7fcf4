"""Group `signal`: waveform, resample, spectrogram, mel, log, decibels, mfcc, transpose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from step_cases import Case, case

from packager.model.contract import AudioType

TF: dict[str, Any] = {"frame": 400, "hop": 160, "like": "tensorflow"}
LIBROSA: dict[str, Any] = {"frame": 400, "hop": 160, "like": "librosa"}


def signal() -> list[Case]:
    """All cases, ids unique."""
    made = [*_waveform(), *_resample(), *_spectrogram(), *_mel(), *_levels()]
    assert len({c.id for c in made}) == len(made)
    return made


def _tone(samples: int, seed: int = 7) -> Any:
    """A chirp in noise, float32 [1, samples] below 1."""
    rng = np.random.default_rng(seed)
    t = np.arange(samples) / 16_000.0
    wave = 0.5 * np.sin(2 * np.pi * (200.0 + 1500.0 * t) * t) + 0.1 * rng.standard_normal(samples)
    return np.clip(wave, -1, 1).astype(np.float32)[None]


def _waveform() -> Iterator[Case]:
    rng = np.random.default_rng(11)
    for channels, frames, samples in ((1, 50, 50), (2, 50, 64), (3, 70, 31), (1, 1, 4)):
        value = rng.integers(-32768, 32768, (frames, channels), np.int16)
        name = f"{channels}x{frames}-to-{samples}"
        yield case(name, "waveform", {"samples": samples}, value, start=AudioType(16_000, channels, 100))


def _resample() -> Iterator[Case]:
    for rate, to, samples in ((16_000, 8_000, 200), (8_000, 16_000, 90), (44_100, 16_000, 500), (16_000, 16_000, 30)):
        yield case(f"{rate}-{to}", "resample", {"rate": rate, "to": to}, _tone(samples))


def _spectrogram() -> Iterator[Case]:
    for name, params, samples in (
        ("tf", TF, 2000),
        ("tf-magnitude", {**TF, "power": 1, "fft": 600}, 1400),
        ("librosa", LIBROSA, 1000),
        ("librosa-window", {**LIBROSA, "fft": 512, "power": 1}, 1000),
        ("librosa-whole", {**LIBROSA, "fft": 450, "center": False}, 1000),
        ("short", {"frame": 6, "hop": 1, "fft": 6, "like": "tensorflow"}, 9),
        ("silence", TF, 400),
    ):
        value = np.zeros((1, samples), np.float32) if name == "silence" else _tone(samples)
        yield case(name, "spectrogram", params, value)


def _mel() -> Iterator[Case]:
    rng = np.random.default_rng(12)
    spectrum = (rng.standard_normal((1, 3, 257)) ** 2).astype(np.float32)
    tf = {"bins": 40, "rate": 16_000, "low": 20.0, "high": 7600.0, "like": "tensorflow"}
    slaney = {"bins": 64, "rate": 16_000, "like": "librosa", "scale": "slaney", "norm": "slaney"}
    yield case("tf", "mel", tf, spectrum)
    yield case("slaney", "mel", slaney, spectrum)
    yield case("htk", "mel", {**slaney, "scale": "htk", "norm": "none"}, spectrum)
    yield case("empty-filters", "mel", {**slaney, "bins": 200}, spectrum)


def _levels() -> Iterator[Case]:
    rng = np.random.default_rng(13)
    power = (rng.standard_normal((1, 4, 20)) ** 4).astype(np.float32)
    power[0, 0, 0] = 0.0
    yield case("offset", "log", {"offset": 1e-6}, power)
    yield case("floor", "log", {"floor": 1e-5, "base": "10"}, power)
    yield case("plain", "log", {}, power)
    yield case("one", "decibels", {}, power)
    yield case("max", "decibels", {"reference": "max", "range": 30.0}, power)
    yield case("no-range", "decibels", {"range": 0.0, "floor": 1e-3}, power)
    yield case("tf", "mfcc", {"count": 13, "like": "tensorflow"}, np.log(power + np.float32(1e-6)))
    yield case("librosa", "mfcc", {"count": 20, "like": "librosa"}, np.log(power + np.float32(1e-6)))
    yield case("turn", "transpose", {}, power)
