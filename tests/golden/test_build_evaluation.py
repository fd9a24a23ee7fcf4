"""A digit classifier, trained here in numpy, judged on 300 labelled digits from an archive; its int8 form as well."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from project_tools import write_manifest

from packager import pipeline
from packager.core.errors import ManifestError
from packager.model.address import PackageFile
from packager.session import Session

pytestmark = pytest.mark.heavy

DIGITS = PackageFile(
    package="pypi:scikit-learn==1.9.1",
    file="sklearn/datasets/data/digits.csv.gz",
    sha256="09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22",
    license="BSD-3-Clause",
)
TRAINED, LABELLED, CALIBRATED = 1200, 300, 40
Array = NDArray[np.float32]


def digits(session: Session, folder: Path) -> tuple[Array, NDArray[np.int64]]:
    path = session.resolver(folder).resolve(DIGITS, ManifestError)
    rows = np.loadtxt(io.BytesIO(gzip.decompress(path.read_bytes())), delimiter=",")
    return (rows[:, :64] / 16).astype(np.float32), rows[:, 64].astype(np.int64)


def train(images: Array, labels: NDArray[np.int64]) -> list[Array]:
    """Weights of 64 -> 24 -> 10 with relu, by full-batch gradient descent with momentum. Seeded; about a second."""
    generator = np.random.default_rng(7)
    parts = [generator.normal(0, 0.2, (64, 24)), np.zeros(24), generator.normal(0, 0.2, (24, 10)), np.zeros(10)]
    speed = [np.zeros_like(part) for part in parts]
    wanted = np.eye(10)[labels]
    for _ in range(400):
        hidden = np.maximum(images @ parts[0] + parts[1], 0)
        scores = np.exp(hidden @ parts[2] + parts[3])
        error = (scores / scores.sum(axis=1, keepdims=True) - wanted) / len(images)
        back = (error @ parts[2].T) * (hidden > 0)
        slopes = [images.T @ back, back.sum(axis=0), hidden.T @ error, error.sum(axis=0)]
        for part, pace, slope in zip(parts, speed, slopes, strict=True):
            pace[:] = 0.9 * pace - 0.3 * slope
            part[:] = part + pace
    return [part.astype(np.float32) for part in parts]


def write_model(file: Path, parts: list[Array]) -> None:
    names = ("w1", "b1", "w2", "b2")
    nodes = [
        helper.make_node("Gemm", ["pixels", "w1", "b1"], ["sums"], "first"),
        helper.make_node("Relu", ["sums"], ["hidden"], "relu"),
        helper.make_node("Gemm", ["hidden", "w2", "b2"], ["logits"], "second"),
        helper.make_node("Softmax", ["logits"], ["scores"], "softmax", axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])],
        [numpy_helper.from_array(part, name) for part, name in zip(parts, names, strict=True)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString(deterministic=True))


def project(session: Session, folder: Path) -> Path:
    folder.mkdir()
    images, labels = digits(session, folder)
    write_model(folder / "digits.onnx", train(images[:TRAINED], labels[:TRAINED]))
    with zipfile.ZipFile(folder / "eval.zip", "w") as archive:
        rows = ["pixels,label"]
        for index in range(TRAINED, TRAINED + LABELLED):
            held = io.BytesIO()
            np.save(held, images[index : index + 1])
            archive.writestr(f"set/{index}.npy", held.getvalue())
            rows.append(f"{index}.npy,{labels[index]}")
        archive.writestr("set/labels.csv", "\n".join(rows) + "\n")
    for index in range(CALIBRATED):
        np.save(folder / f"cal{index:02}.npy", images[index : index + 1])
    np.save(folder / "sample.npy", images[1500:1501])
    manifest = {
        "packager": 1,
        "name": "digits",
        "version": "1.0.0",
        "license": "CC0-1.0",
        "model": {"source": "digits.onnx"},
        "inputs": {"pixels": {"accepts": {"tensor": "raw"}}},
        "outputs": {"digit": {"steps": [{"labels": {"names": [str(n) for n in range(10)], "top": 3}}]}},
        "samples": [{"pixels": "sample.npy"}],
        "calibration": {"pixels": "cal*.npy"},
        "evaluation": {"data": "eval.zip", "metric": "top1", "max_drop": 0.02},
        "formats": ["onnx/float32", "tflite/int8"],
    }
    return write_manifest(folder, manifest)


def test_a_trained_model_and_its_int8_form_on_labelled_data(session: Session, tmp_path: Path) -> None:
    made = pipeline.build(session, project(session, tmp_path / "p"), tmp_path / "dist")
    evidence = json.loads((made / "evidence.json").read_bytes())
    rows = {(r["runtime"], r["kernel_set"]): r["gate"]["accuracy"] for r in evidence["artifacts"]}
    assert set(rows) == {
        ("onnx", "ort-cpu"), ("tflite", "litert-builtin"), ("tflite", "litert-reference"), ("tflite", "litert-xnnpack")
    }  # fmt: skip
    for accuracy in rows.values():
        assert accuracy["n"] == LABELLED
        assert 0.85 < accuracy["source"]["value"] < 1
        assert accuracy["source"]["low"] < accuracy["source"]["value"] < accuracy["source"]["high"]
        assert accuracy["drop"]["value"] <= 0.02
        assert accuracy["drop"]["low"] <= accuracy["drop"]["value"] <= accuracy["drop"]["high"]
    assert rows["onnx", "ort-cpu"]["drop"] == {"value": 0.0, "low": 0.0, "high": 0.0}
