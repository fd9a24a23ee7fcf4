"""The references of the signal steps against scipy, TensorFlow and (by stored numbers) librosa."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from librosa_oracle import CASES, signal
from step_cases import CATALOG, bind

from packager.model.contract import AudioType, StepMismatchError, TensorType

VECTORS = Path(__file__).parent / "vectors"

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000)


def run(step: str, params: dict[str, Any], value: Any) -> Any:
    module: Any = CATALOG.steps[step]
    return module.apply(bind(step, params), value)


def close(found: Any, reference: Any, absolute: float | None = None) -> None:
    """The issue's measure: 1e-4 of the largest plus 1e-6 before the logarithm, a plain limit after it."""
    limit = absolute if absolute is not None else 1e-4 * np.abs(reference).max(initial=0.0) + 1e-6
    assert found.shape == reference.shape
    assert np.abs(found.astype(np.float64) - reference).max(initial=0.0) <= limit


@settings(derandomize=True, max_examples=60, deadline=None)
@given(rate=st.sampled_from(RATES), to=st.sampled_from(RATES), samples=st.integers(1, 400), seed=st.integers(0, 99))
def test_resample_has_the_length_that_was_planned(rate: int, to: int, samples: int, seed: int) -> None:
    value = np.random.default_rng(seed).standard_normal((1, samples)).astype(np.float32)
    module: Any = CATALOG.steps["resample"]
    bound = bind("resample", {"rate": rate, "to": to})
    assert module.apply(bound, value).shape == module.result_type(bound, TensorType("float32", value.shape)).shape


@pytest.mark.parametrize("samples", [1, 7, 200, 513])
@pytest.mark.parametrize(("rate", "to"), [(16_000, 8_000), (8_000, 48_000), (44_100, 16_000)])
def test_the_formula_that_native_code_follows_is_scipys(samples: int, rate: int, to: int) -> None:
    """y[i] = sum over k of x[k] h[half + i down - k up], with our own Kaiser window and Bessel series."""
    module: Any = CATALOG.steps["resample"]
    bound = bind("resample", {"rate": rate, "to": to})
    up, down = module.factors(bound)
    half = 10 * max(up, down)
    place = np.arange(-half, half + 1)
    taps = np.sinc(place / max(up, down)) * np.i0(5 * np.sqrt(1 - (place / half) ** 2))
    taps *= up / taps.sum()
    value = np.random.default_rng(samples).standard_normal((1, samples)).astype(np.float32)
    spread = np.zeros(samples * up + 2 * half)
    spread[half : half + samples * up : up] = value[0]
    filtered = np.convolve(spread, taps, "same")[half : half + samples * up]
    close(module.apply(bound, value)[0], filtered[::down])


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    frame=st.integers(2, 96), hop=st.integers(1, 96), samples=st.integers(1, 400), like=st.booleans(), c=st.booleans()
)
def test_a_spectrogram_has_the_shape_that_was_planned(frame: int, hop: int, samples: int, like: bool, c: bool) -> None:
    module: Any = CATALOG.steps["spectrogram"]
    params = {"frame": frame, "hop": hop, "like": "tensorflow" if like else "librosa", "center": c, "fft": 108}
    bound = bind("spectrogram", params)
    try:
        planned = module.result_type(bound, TensorType("float32", (1, samples)))
    except StepMismatchError:
        return
    value = np.random.default_rng(samples).standard_normal((1, samples)).astype(np.float32)
    assert module.apply(bound, value).shape == planned.shape


def test_what_does_not_fit_is_refused_in_words() -> None:
    spectrogram: Any = CATALOG.steps["spectrogram"]
    with pytest.raises(StepMismatchError, match="transform of 401"):
        spectrogram.result_type(
            bind("spectrogram", {"frame": 401, "hop": 10, "like": "librosa"}), TensorType("float32", (1, 900))
        )
    with pytest.raises(StepMismatchError, match="hold no frame"):
        spectrogram.result_type(
            bind("spectrogram", {"frame": 400, "hop": 10, "like": "tensorflow"}), TensorType("float32", (1, 399))
        )
    mel: Any = CATALOG.steps["mel"]
    slaney = bind("mel", {"bins": 10, "rate": 16_000, "like": "tensorflow", "scale": "slaney"})
    with pytest.raises(StepMismatchError, match="only the HTK scale"):
        mel.result_type(slaney, TensorType("float32", (1, 3, 257)))
    waveform: Any = CATALOG.steps["waveform"]
    with pytest.raises(StepMismatchError, match="works on audio"):
        waveform.result_type(bind("waveform", {"samples": 5}), TensorType("float32", (1, 5)))
    assert waveform.result_type(bind("waveform", {"samples": 5}), AudioType(16_000, 2, 100)).shape == (1, 5)


@pytest.mark.heavy
@pytest.mark.parametrize(("frame", "hop", "fft"), [(400, 160, None), (640, 320, 1024), (480, 160, 600)])
def test_like_tensorflow_is_tensorflow(frame: int, hop: int, fft: int | None) -> None:
    import tensorflow as tf

    wave = signal(5000)
    params = {"frame": frame, "hop": hop, "like": "tensorflow"} | ({"fft": fft} if fft else {})
    spectrum = np.abs(tf.signal.stft(wave, frame, hop, fft).numpy())
    close(run("spectrogram", {**params, "power": 1}, wave), spectrum)
    bins = spectrum.shape[-1]
    matrix = tf.signal.linear_to_mel_weight_matrix(40, bins, 16_000, 20.0, 7600.0).numpy()
    filters = {"bins": 40, "rate": 16_000, "low": 20.0, "high": 7600.0, "like": "tensorflow"}
    mel: Any = CATALOG.steps["mel"]
    close(mel.weights(bind("mel", filters), bins), matrix)
    power = run("spectrogram", params, wave)
    log_mel = tf.math.log(tf.tensordot(spectrum**2, matrix, 1) + 1e-6).numpy()
    found = run("log", {"offset": 1e-6}, run("mel", filters, power))
    close(found, log_mel, 1e-3)
    close(run("mfcc", {"count": 13, "like": "tensorflow"}, found),
          tf.signal.mfccs_from_log_mel_spectrograms(log_mel).numpy()[..., :13], 1e-3)  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_like_librosa_is_librosa(name: str) -> None:
    """Every 7th number of what librosa 0.11.0 gave, stored by `librosa_oracle.py` (float64 there)."""
    stored = json.loads((VECTORS / "librosa_signal.json").read_text("utf-8"))[name]
    value = signal(stored["samples"])
    for step, params in CASES[name]:
        value = run(step, params, value)
    assert list(value.shape) == stored["shape"]
    after_log = any(step in ("log", "decibels", "mfcc") for step, _ in CASES[name])
    close(value.reshape(-1)[::7], np.array(stored["numbers"]), 1e-3 if after_log else None)
