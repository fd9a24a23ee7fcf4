"""The references of the signal steps against scipy, TensorFlow and (by stored numbers) librosa."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from librosa_oracle import CASES, signal
from proof import FORMULA, seen
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
    seen("resample", f"scipy {version('scipy')}", filtered[::down], module.apply(bound, value))
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


@pytest.mark.parametrize("name", CASES)
def test_like_librosa_is_librosa(name: str) -> None:
    """Every 7th number of what librosa 0.11.0 gave, stored by `librosa_oracle.py` (float64 there)."""
    stored = json.loads((VECTORS / "librosa_signal.json").read_text("utf-8"))[name]
    value = signal(stored["samples"])
    for step, params in CASES[name]:
        value = run(step, params, value)
    assert list(value.shape) == stored["shape"]
    seen(CASES[name][-1][0], "librosa 0.11.0", value.reshape(-1)[::7], np.array(stored["numbers"]))
    after_log = any(step in ("log", "decibels", "mfcc") for step, _ in CASES[name])
    close(value.reshape(-1)[::7], np.array(stored["numbers"]), 1e-3 if after_log else None)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(frames=st.integers(1, 60), channels=st.integers(1, 5), samples=st.integers(1, 70), seed=st.integers(0, 99))
def test_a_waveform_is_the_mean_of_the_channels(frames: int, channels: int, samples: int, seed: int) -> None:
    value = np.random.default_rng(seed).integers(-32768, 32768, (frames, channels), np.int16)
    expected = np.zeros(samples)
    kept = value[:samples].astype(np.longdouble).mean(axis=1) / 32768
    expected[: len(kept)] = kept
    found = run("waveform", {"samples": samples}, value)
    seen("waveform", FORMULA, found, expected)
    np.testing.assert_array_max_ulp(found[0], expected.astype(np.float32), 1)


def test_transpose_swaps_the_last_axes() -> None:
    value = np.arange(24, dtype=np.float32).reshape(1, 4, 6)
    seen("transpose", FORMULA, run("transpose", {}, value), value[0].T[None])
    np.testing.assert_array_equal(run("transpose", {}, value), value[0].T[None])
