"""What `build` prints at its end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from packager import pipeline
from packager.core.console import Console
from packager.stages.bundle.receipt import json_text

ROW = {
    "runtime": "tflite", "precision": "int8", "kernel_set": "litert-builtin", "bytes": 309856,
    "gate": {
        "passed": True, "kernel_set_passed": True, "reasons": [],
        "figures": {"max_abs": 0.0162, "mean_abs": 0.00642, "cosine": 0.999766, "decisions_kept": 3, "decisions": 4},
    },
}  # fmt: skip


def shown(folder: Path, capsys: pytest.CaptureFixture[str], gate: dict[str, object]) -> str:
    row = {**ROW, "gate": {**ROW["gate"], **gate}}
    target = {"root": "embedded/linux", "runtime": "tflite", "precision": "int8", "language": "cpp"}
    receipt = {
        "format": 1, "name": "demo", "version": "1.0.0", "content_hash": "c" * 64, "artifacts": [], "files": {},
        "targets": {"embedded.linux": target},
    }  # fmt: skip
    evidence = {"format": 1, "content_hash": "", "evidence_hash": "", "report_sha256": "", "samples": 4, "tests": []}
    folder.mkdir()
    (folder / "bundle.json").write_bytes(json_text(receipt))
    (folder / "evidence.json").write_bytes(json_text({**evidence, "artifacts": [row]}))
    pipeline.show_bundle(Console(), folder)
    return capsys.readouterr().out


def test_the_figures_the_projects_and_the_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(tmp_path / "b", capsys, {})
    for text in ("tflite/int8", "309,856", "0.0162", "0.00642", "0.999766", "3 of 4", "passed", "c" * 64):
        assert text in out, text
    assert f"embedded.linux: {tmp_path / 'b' / 'embedded/linux'}" in out


def test_a_waiver_and_what_is_not_finite_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = {**json.loads(json.dumps(ROW["gate"]))["figures"], "max_abs": None, "cosine": None}
    out = shown(tmp_path / "b", capsys, {"kernel_set_passed": False, "waived": "agreed", "figures": figures})
    assert out.count("not finite") == 2
    assert "waived: agreed" in out
