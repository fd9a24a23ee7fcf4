"""Evidence, zips and report of a bundle."""

from __future__ import annotations

import json
from pathlib import Path

from test_stages_bundle import figures, files

from packager.model.artifact import Verdict
from packager.stages import bundle
from packager.stages.bundle.report import report_html


def test_evidence_names_the_artefacts_verdict_in_each_row_and_hides_no_nan() -> None:
    bad = figures(cosine=float("nan"), max_abs=float("inf"), non_finite=3)
    verdicts = [
        Verdict("tflite", "int8", "b", bad, {"cosine": 0.98}, False, ("3 output values are not finite",), "agreed"),
        Verdict("tflite", "int8", "a", figures(), {"cosine": 0.98}, True),
        Verdict("onnx", "float32", "c", figures(), {}, True),
    ]
    rows = bundle.artifact_rows(verdicts, {"tflite/int8": 5, "onnx/float32": 6})
    assert [row["gate"]["passed"] for row in rows] == [False, False, True]
    assert [row["gate"]["kernel_set_passed"] for row in rows] == [False, True, True]
    assert rows[0]["gate"]["figures"]["cosine"] is None
    assert rows[0]["gate"]["figures"]["max_abs"] is None
    assert rows[0]["gate"]["figures"]["non_finite"] == 3
    assert rows[0]["gate"]["waived"] == "agreed"
    json.dumps(rows, allow_nan=False)


def test_zips_are_equal_to_the_byte_and_hold_only_their_target(tmp_path: Path) -> None:
    import zipfile

    made = files()
    first = bundle.zip_files("demo-linux", "linux", made)
    assert first.read() == bundle.zip_files("demo-linux", "linux", made[::-1]).read()
    assert first.path == "zips/demo-linux.zip"
    assert first.cpu_dependent == ""
    (tmp_path / "z").write_bytes(first.read())
    with zipfile.ZipFile(tmp_path / "z") as archive:
        modes = {info.filename: (info.external_attr >> 16) & 0o777 for info in archive.infolist()}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert modes == {"demo-linux/build.sh": 0o755, "demo-linux/src/main.c": 0o644}
    assert bundle.zip_files("m", "models", made).cpu_dependent


def test_the_report_quotes_what_it_shows_and_says_what_was_not_proven() -> None:
    target = {
        "root": "<script>", "runtime": "r", "precision": "p", "candidates": ["p"], "engine": "e", "kernel_set": "k",
        "minimum": {},
    }  # fmt: skip
    receipt = {"name": "demo", "version": "1", "content_hash": "h", "contract": "c", "targets": {"t": target}}
    evidence = {"samples": 4, "artifacts": [], "tests": [], "machine": {"cpu": "x"}, "tools": {}}
    page = report_html({**receipt, "artifacts": []}, evidence)
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "Accuracy not established, n = 4" in page
    assert 'class="bad">not run' in page
    row = {"target": "t", "language": "c", "result": "failed", "evidence": "double", "stages": [], "why": "<b>"}
    page = report_html({**receipt, "artifacts": []}, {**evidence, "tests": [row]})
    assert '<span class="bad">failed</span>, evidence: double' in page
    assert "&lt;b&gt;" in page
