"""Builds with labelled data: source and artefact through the contract, the gate, evidence, report and cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from project_tools import packager, tiny_project

from packager import pipeline
from packager.core.console import NullConsole
from packager.session import open_session
from packager.stages.evaluate import run as stage

COUNT = 40
WRONG = 4
"""Labels that are swapped on purpose: top1 is 0.9 for source and artefact alike."""


def project(folder: Path, **changes: Any) -> Path:
    asked = {"data": "eval/eval.csv", "metric": "top1", "max_drop": 0.0, **changes.pop("evaluation", {})}
    file = tiny_project(folder, evaluation=asked, **changes)
    generator = np.random.default_rng(0)
    (folder / "eval").mkdir()
    rows = ["photo,label"]
    for index in range(COUNT):
        red = index % 2 == 0
        colour = np.array([240, 10, 20] if red else [20, 10, 240]) + generator.integers(-9, 9, 3)
        Image.new("RGB", (10 + index % 3, 9), tuple(int(c) for c in colour)).save(folder / f"eval/{index}.png")
        label = "red" if red != (index < WRONG) else "blue"
        rows.append(f"{index}.png,{label}")
    (folder / "eval/eval.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return file


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def evidence(made: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((made / "evidence.json").read_bytes())
    return data


def build(file: Path, out: Path) -> tuple[Path, int]:
    """The bundle, and how many workers were started."""
    with open_session(NullConsole()) as session:
        return pipeline.build(session, file, out), session.pool.started


def test_evidence_has_the_figures_and_a_warm_build_starts_no_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project(tmp_path / "p")
    made, started = build(file, tmp_path / "dist")
    assert started > 0
    found = evidence(made)
    assert found["evaluation"]["established"] is True
    assert found["evaluation"]["samples"] == COUNT
    (row,) = found["artifacts"]
    accuracy = row["gate"]["accuracy"]
    assert (accuracy["metric"], accuracy["n"]) == ("top1", COUNT)
    assert accuracy["artifact"]["value"] == accuracy["source"]["value"] == 1 - WRONG / COUNT
    assert accuracy["drop"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert accuracy["source"]["low"] == pytest.approx(0.7695, abs=1e-3)  # Wilson, 36 of 40
    page = (made / "report.html").read_text()
    assert "Accuracy: top1 of output colour on 40 labelled samples" in page
    assert "Wilson for top1" in page
    assert "not established" not in page
    assert json.loads((made / "bundle.json").read_bytes())["inputs"]["eval/eval.csv"] == found["evaluation"]["sha256"]

    monkeypatch.setattr(stage.Evaluation, "_feeds", None)  # a warm build decodes no labelled sample
    again, started = build(file, tmp_path / "dist")
    assert started == 0
    assert evidence(again)["artifacts"] == found["artifacts"]


def test_a_further_sample_runs_only_the_last_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project(tmp_path / "p")
    build(file, tmp_path / "dist")
    table = tmp_path / "p/eval/eval.csv"
    Image.new("RGB", (8, 8), (250, 0, 0)).save(tmp_path / "p/eval/new.png")
    table.write_text(table.read_text() + "new.png,red\n")
    fed: list[int] = []
    feeds = stage.Evaluation._feeds

    def noted(self: stage.Evaluation, batch: Any) -> Path:
        fed.append(batch.start)
        return feeds(self, batch)

    monkeypatch.setattr(stage.Evaluation, "_feeds", noted)
    made, _ = build(file, tmp_path / "dist")
    assert set(fed) == {stage.BATCH}
    assert evidence(made)["evaluation"]["samples"] == COUNT + 1


def test_without_data_the_words_are_that_accuracy_is_not_established(tmp_path: Path) -> None:
    file = tiny_project(tmp_path / "p")
    made, _ = build(file, tmp_path / "dist")
    assert evidence(made)["evaluation"] == {"established": False, "why": "accuracy not established, n = 2"}
    assert "Accuracy not established, n = 2" in (made / "report.html").read_text()


# A stand-in for a runtime whose conversion spoils the model: it gives ONNX files with the two scores swapped for dark
# photos. It exists in tests only.
SPOILED = '''
"""A double: ONNX with the answers of some photos spoiled, to fail an accuracy gate."""
from packager.runtimes.onnx import *  # noqa: F403
from packager.runtimes import onnx as _real
SUMMARY = "spoiled double"
RUN = "packager.runtimes.spoiled.run:run"
CODE = (*_real.CODE, "packager.runtimes.spoiled")
'''
SPOILED_RUN = """
import numpy as np
from packager.core.samples import read_sample, sample_paths, write_sample
from packager.runtimes.onnx.run import run as real

def run(request, inputs, out):
    answer = real(request, inputs, out)
    for path in sample_paths(out / "ort-cpu"):
        (photo,) = read_sample(inputs["feeds"] / path.name).values()
        made = read_sample(path)
        if photo[..., 1].mean() > SPOIL:
            made = {name: np.ascontiguousarray(array[:, ::-1]) for name, array in made.items()}
        write_sample(out / "ort-cpu", int(path.stem), made)
    return answer
"""


def spoiled(folder: Path, above: float) -> dict[str, str]:
    """Environment with the double: it swaps the scores where the mean green is above `above`."""
    home = folder / "plugins/runtimes/spoiled"
    home.mkdir(parents=True)
    (home / "__init__.py").write_text(SPOILED)
    (home / "run.py").write_text(f"SPOIL = {above}\n{SPOILED_RUN}")
    return {"PACKAGER_PLUGINS": str(folder / "plugins"), "XDG_CACHE_HOME": str(folder / "cache")}


def test_a_drop_above_the_limit_ends_in_the_gates_exit_code(tmp_path: Path) -> None:
    env = spoiled(tmp_path, 0.05)
    gate = {"float32": {"max_abs": 1e9}}
    asked = {"max_drop": 0.05}
    file = project(tmp_path / "p", evaluation=asked, formats=["spoiled/float32"], gate=gate)
    done = packager("build", file, "--out", tmp_path / "dist", env=env)
    assert done.returncode == 7, done.stderr
    assert "spoiled/float32 fails its gate in kernel set ort-cpu: top1 on 40 labelled samples is" in done.stderr
    assert "limit 0.05" in done.stderr
    assert not (tmp_path / "dist").exists()


def test_a_waived_drop_is_shipped_in_the_open(tmp_path: Path) -> None:
    env = spoiled(tmp_path, 0.05)
    gate = {"float32": {"max_abs": 1e9, "waive": "known, mended in 1.1"}}
    file = project(tmp_path / "p", formats=["spoiled/float32"], gate=gate)
    done = packager("build", file, "--out", tmp_path / "dist", env=env)
    assert done.returncode == 0, done.stderr
    (row,) = evidence(tmp_path / "dist/tiny-1.0.0")["artifacts"]
    assert row["gate"]["passed"] is False
    assert row["gate"]["waived"] == "known, mended in 1.1"
    assert row["gate"]["accuracy"]["drop"]["value"] > 0
    page = (tmp_path / "dist/tiny-1.0.0/report.html").read_text()
    assert '<span class="bad">waived: known, mended in 1.1</span>' in page


def test_numbers_of_another_count_are_named_at_their_line(tmp_path: Path) -> None:
    outputs = {"scores": {"tensor": "scores", "steps": ["values"]}}
    asked = {"metric": "mae", "max_drop": 0.1}
    file = project(tmp_path / "p", evaluation=asked, outputs=outputs, samples=[{"photo": "red.png"}])
    (tmp_path / "p/eval/eval.csv").write_text("photo,values\n0.png,1 0\n1.png,0 1 0\n")
    done = packager("build", file, "--out", tmp_path / "dist")
    assert done.returncode == 5, done.stderr
    assert "the data gives 3 numbers, the model 2" in done.stderr
    assert "eval/eval.csv:3:1" in done.stderr


def test_mean_absolute_error_of_values(tmp_path: Path) -> None:
    outputs = {"scores": {"tensor": "scores", "steps": ["values"]}}
    asked = {"metric": "mae", "max_drop": 0.1}
    file = project(tmp_path / "p", evaluation=asked, outputs=outputs, samples=[{"photo": "red.png"}])
    (tmp_path / "p/eval/eval.csv").write_text("photo,values\n0.png,1 0\n1.png,1 0\n")
    made, _ = build(file, tmp_path / "dist")
    accuracy = evidence(made)["artifacts"][0]["gate"]["accuracy"]
    assert accuracy["source"]["value"] == pytest.approx(0.5, abs=0.01)  # one right, one wrong
    assert accuracy["method"].startswith("paired bootstrap")
