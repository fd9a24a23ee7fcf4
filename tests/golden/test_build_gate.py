"""The gate stops a build, falls back along a list of precisions, and is waived only in the open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from project_tools import packager, root_manifest, write_manifest

from packager import pipeline
from packager.core.errors import GateError
from packager.session import Session

pytestmark = pytest.mark.heavy
IMPOSSIBLE = {"int8": {"cosine": 1.0, "max_abs": 0.0}}


def manifest(precision: Any, gate: dict[str, Any], **changes: Any) -> dict[str, Any]:
    data = {**root_manifest(), "gate": gate, **changes}
    data["targets"] = {"embedded": {"linux": {"runtime": "tflite", "precision": precision}}}
    return {key: value for key, value in data.items() if value is not None}


def read(path: Path, name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((path / name).read_bytes())
    return data


def test_the_next_precision_of_the_list_is_taken(session: Session, tmp_path: Path) -> None:
    file = write_manifest(tmp_path, manifest(["int8", "float32"], IMPOSSIBLE, formats=None))
    made = pipeline.build(session, file, tmp_path / "dist")
    target = read(made, "bundle.json")["targets"]["embedded.linux"]
    assert (target["precision"], target["candidates"]) == ("float32", ["int8", "float32"])
    assert [a["precision"] for a in read(made, "bundle.json")["artifacts"]] == ["float32"]
    assert "first that passes of int8, float32" in (made / "report.html").read_text()


def test_the_first_precision_that_passes_is_taken(session: Session, tmp_path: Path) -> None:
    file = write_manifest(tmp_path, manifest(["int8", "float32"], {}, formats=None))
    made = pipeline.build(session, file, tmp_path / "dist")
    assert read(made, "bundle.json")["targets"]["embedded.linux"]["precision"] == "int8"
    assert [a["precision"] for a in read(made, "bundle.json")["artifacts"]] == ["int8"]


def test_a_failed_gate_gives_its_figures_and_no_bundle(tmp_path: Path) -> None:
    file = write_manifest(tmp_path, manifest("int8", IMPOSSIBLE, formats=None))
    done = packager("build", file, "--out", tmp_path / "dist")
    assert done.returncode == 7, done.stderr
    assert "tflite/int8 fails its gate in kernel set litert-builtin: " in done.stderr
    assert "cosine similarity is 0.999" in done.stderr
    assert "of the output's range, limit 0" in done.stderr
    assert f"{file}:" in done.stderr
    assert not (tmp_path / "dist").exists()


def test_a_failed_format_stops_as_well(session: Session, tmp_path: Path) -> None:
    file = write_manifest(tmp_path, manifest("float32", {"tflite/int8": {"cosine": 1.0}}, formats=["tflite/int8"]))
    with pytest.raises(GateError) as caught:
        pipeline.build(session, file, tmp_path / "dist")
    assert "tflite/int8" in caught.value.findings[0].source_line
    assert not (tmp_path / "dist").exists()


def test_a_waiver_is_recorded_and_shown_in_red(session: Session, tmp_path: Path) -> None:
    reason = 'agreed on <b>"Monday"</b>'
    gate = {"int8": {**IMPOSSIBLE["int8"], "waive": reason}}
    made = pipeline.build(session, write_manifest(tmp_path, manifest("int8", gate, formats=None)), tmp_path / "dist")
    rows = read(made, "evidence.json")["artifacts"]
    assert {row["gate"]["passed"] for row in rows} == {False}
    assert {row["gate"]["waived"] for row in rows} == {reason}
    assert all(row["gate"]["reasons"] for row in rows)
    assert read(made, "bundle.json")["artifacts"][0]["waived"] == reason
    page = (made / "report.html").read_text()
    assert '<span class="bad">waived: agreed on &lt;b&gt;' in page
    assert packager("verify", made).returncode == 0


def test_a_waiver_that_is_not_needed_is_no_waiver(session: Session, tmp_path: Path) -> None:
    file = write_manifest(tmp_path, manifest("int8", {"int8": {"waive": "just in case"}}, formats=None))
    made = pipeline.build(session, file, tmp_path / "dist")
    assert "waived" not in read(made, "bundle.json")["artifacts"][0]
    assert all("waived" not in row["gate"] for row in read(made, "evidence.json")["artifacts"])
