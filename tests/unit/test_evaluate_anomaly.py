"""Labelled data of an output that takes the model's own input: the evaluation hands it on, cached or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project_tools import write_manifest

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.errors import ManifestError
from packager.session import open_session

COUNT = 34
"""More than one batch."""


def write_model(file: Path) -> None:
    """Half of `signal`, as `echo`: float32 [1, 4] both."""
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", ["signal", "weights"], ["echo"], "half")],
        "echo",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("echo", TensorProto.FLOAT, [1, 4])],
        [numpy_helper.from_array(np.float32(0.5) * np.eye(4, dtype=np.float32), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString(deterministic=True))


def project(folder: Path) -> Path:
    """Errors are half the size of the reading: up to 1 it is normal. One label of each ten is wrong."""
    (folder / "eval").mkdir(parents=True)
    write_model(folder / "echo.onnx")
    rows = ["reading,label"]
    for index in range(COUNT):
        size = 1.0 if index % 2 else 4.0
        np.save(folder / f"eval/{index}.npy", np.full((1, 4), size, np.float32))
        rows.append(f"{index}.npy,{'normal' if (size < 2) != (index % 10 == 0) else 'anomaly'}")
    (folder / "eval/eval.csv").write_text("\n".join(rows) + "\n", "utf-8")
    np.save(folder / "quiet.npy", np.full((1, 4), 0.5, np.float32))
    steps = [
        {"reconstruction_error": {"metric": "mae"}},
        {"threshold": {"limit": 1, "below": "normal", "above": "anomaly"}},
    ]
    manifest = {
        "packager": 1,
        "name": "echo",
        "version": "1.0.0",
        "license": "CC0-1.0",
        "model": {"source": "echo.onnx"},
        "inputs": {"reading": {"accepts": {"tensor": "raw"}}},
        "outputs": {"odd": {"tensors": ["echo", "signal"], "steps": steps}},
        "samples": [{"reading": "quiet.npy", "expect": {"odd": {"label": "normal", "score": [0.25, 0.25]}}}],
        "evaluation": {"data": "eval/eval.csv", "metric": "top1", "max_drop": 0.0},
        "formats": ["onnx/float32"],
    }
    return write_manifest(folder, manifest)


def accuracy(file: Path, out: Path) -> dict[str, Any]:
    with open_session(NullConsole()) as session:
        bundle = pipeline.build(session, file, out)
    (row,) = json.loads((bundle / "evidence.json").read_bytes())["artifacts"]
    found: dict[str, Any] = row["gate"]["accuracy"]
    return found


def test_source_and_artefact_are_judged_with_the_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = project(tmp_path / "p")
    first = accuracy(file, tmp_path / "dist")
    assert first["n"] == COUNT
    assert first["source"]["value"] == first["artifact"]["value"] == 1 - 4 / COUNT
    assert accuracy(file, tmp_path / "dist") == first, "the runs are cached, the inputs are made again"


def test_a_label_that_the_threshold_does_not_give_is_refused_at_its_line(tmp_path: Path) -> None:
    file = project(tmp_path / "p")
    table = tmp_path / "p/eval/eval.csv"
    table.write_text(table.read_text("utf-8").replace("3.npy,normal", "3.npy,usual", 1), "utf-8")
    with pytest.raises(ManifestError) as caught, open_session(NullConsole()) as session:
        pipeline.build(session, file, tmp_path / "dist")
    (finding,) = caught.value.findings
    assert finding.what == "the model has no label `usual`"
    assert "`normal`" in finding.expected and "`anomaly`" in finding.expected
    assert finding.where is not None and finding.where.line == 5
