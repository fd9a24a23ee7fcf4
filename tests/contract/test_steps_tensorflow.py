"""`resize` like tensorflow and `standardize` against TensorFlow itself, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from librosa_oracle import signal
from proof import seen
from step_cases import CATALOG, bind
from test_steps_signal import close, run

from packager.steps import resize, standardize

pytestmark = pytest.mark.heavy

LARGE = [
    [4000, 3000, 224, 224, 3],
    [1, 999, 7, 224, 3],
    [999, 1, 224, 7, 1],
    [641, 479, 640, 480, 3],
    [30, 20, 300, 201, 3],
]
LIKE = f"tensorflow {version('tensorflow')}"
ORACLE = Path(__file__).parent / "vectors" / "tensorflow_oracle.py"


@pytest.fixture(scope="module")
def sizes() -> list[list[int]]:
    rng = np.random.default_rng(5)
    small = [[*map(int, rng.integers(1, 97, 4)), int(rng.choice([1, 3]))] for _ in range(150)]
    return small + LARGE


@pytest.fixture(scope="module")
def oracle(sizes: list[list[int]], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("tensorflow")
    (folder / "sizes.json").write_text(json.dumps(sizes), "utf-8")
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    argv = [sys.executable, str(ORACLE), str(folder / "sizes.json"), str(folder / "out.npz")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=quiet)
    assert done.returncode == 0, done.stderr
    with np.load(folder / "out.npz") as found:
        return dict(found)


def found(width: int, height: int, image: Any, **how: Any) -> Any:
    how = {"width": width, "height": height, "fit": "stretch", "like": "tensorflow", **how}
    return resize.apply(resize.Params.model_validate(how), image)


def test_nearest_is_exact(sizes: list[list[int]], oracle: Any) -> None:
    for index, (_, _, width, height, _) in enumerate(sizes):
        resized = found(width, height, oracle[f"image_{index}"], method="nearest")
        seen("resize", LIKE, resized, oracle[f"nearest_{index}"])
        np.testing.assert_array_equal(resized, oracle[f"nearest_{index}"])


@pytest.mark.parametrize("antialias", [False, True])
def test_bilinear_is_within_4_ulp_of_the_largest_magnitude(
    sizes: list[list[int]], oracle: Any, antialias: bool
) -> None:
    worst = 0.0
    for index, (_, _, width, height, _) in enumerate(sizes):
        resized = found(width, height, oracle[f"image_{index}"], method="bilinear", antialias=antialias)
        expected = oracle[f"{'antialias' if antialias else 'plain'}_{index}"].astype(np.float32)
        assert resized.shape == (1, *expected.shape)
        assert resized.dtype == np.float32
        seen("resize", LIKE, resized, expected)
        ulp = float(np.spacing(np.float32(np.abs(expected).max())))
        worst = max(worst, float(np.abs(resized[0].astype(np.float64) - expected).max()) / ulp)
    print(f"tensorflow bilinear, antialias={antialias}: worst {worst} ULP of the largest magnitude")
    assert worst <= 4.0


def test_standardize(sizes: list[list[int]], oracle: Any) -> None:
    worst = 0.0
    for index in range(len(sizes)):
        image, expected = oracle[f"image_{index}"], oracle[f"standard_{index}"]
        values = standardize.apply(standardize.Params(like="tensorflow"), image)[0]
        seen("standardize", LIKE, values, expected)
        error = np.abs(values.astype(np.float64) - expected)
        assert np.all(error <= 1e-5 + 1e-4 * np.abs(expected)), sizes[index]
        worst = max(worst, float(error.max()))
    print(f"standardize like tensorflow: worst absolute difference {worst}")


def test_what_tensorflow_does_not_have_is_refused() -> None:
    for bad in (
        {"method": "lanczos"},
        {"method": "bilinear", "fit": "letterbox"},
        {"method": "nearest", "antialias": True},
    ):
        with pytest.raises(ValueError, match=r"pillow|bilinear"):
            found(4, 4, np.zeros((2, 2, 3), np.uint8), **bad)


def like(step: str, found: Any, reference: Any, absolute: float | None = None) -> None:
    """Near what TensorFlow gives."""
    seen(step, LIKE, found, reference)
    close(found, reference, absolute)


@pytest.mark.parametrize(("frame", "hop", "fft"), [(400, 160, None), (640, 320, 1024), (480, 160, 600)])
def test_like_tensorflow_is_tensorflow(frame: int, hop: int, fft: int | None) -> None:
    import tensorflow as tf

    wave = signal(5000)
    params = {"frame": frame, "hop": hop, "like": "tensorflow"} | ({"fft": fft} if fft else {})
    spectrum = np.abs(tf.signal.stft(wave, frame, hop, fft).numpy())
    like("spectrogram", run("spectrogram", {**params, "power": 1}, wave), spectrum)
    bins = spectrum.shape[-1]
    matrix = tf.signal.linear_to_mel_weight_matrix(40, bins, 16_000, 20.0, 7600.0).numpy()
    filters = {"bins": 40, "rate": 16_000, "low": 20.0, "high": 7600.0, "like": "tensorflow"}
    mel: Any = CATALOG.steps["mel"]
    like("mel", mel.weights(bind("mel", filters), bins), matrix)
    power = run("spectrogram", params, wave)
    log_mel = tf.math.log(tf.tensordot(spectrum**2, matrix, 1) + 1e-6).numpy()
    found = run("log", {"offset": 1e-6}, run("mel", filters, power))
    like("log", found, log_mel, 1e-3)
    cepstra = tf.signal.mfccs_from_log_mel_spectrograms(log_mel).numpy()[..., :13]
    like("mfcc", run("mfcc", {"count": 13, "like": "tensorflow"}, found), cepstra, 1e-3)
