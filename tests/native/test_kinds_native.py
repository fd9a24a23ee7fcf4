"""Every kind of input and result through the generated projects: one bundle, each language's own golden vectors."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from kinds_tools import SUFFIXES, kinds_project

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.process import SystemRunner
from packager.registry import Catalog
from packager.session import open_session
from packager.stages import toolset as stage
from packager.stages.prove import Row, prove

pytestmark = [pytest.mark.native, pytest.mark.heavy]

INT8 = {"runtime": "tflite", "precision": "int8"}
TARGETS = {
    "android": {**INT8, "application_id": "org.example.kinds"},
    "ios": {"runtime": "coreml", "precision": "float32", "bundle_id": "org.example.kinds"},
    "embedded": {"linux": INT8},
}
RESULTS = ["faces", "mesh", "region", "edge", "vector", "reading", "oddity", "verdict"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the project with an input and a result of every kind."""
    folder = tmp_path_factory.mktemp("kinds")
    calibration = {name: f"{name}.{suffix}" for name, suffix in SUFFIXES.items()}
    gate = {"int8": {"cosine": 0.9, "margin": 0.5}}
    manifest = kinds_project(folder, targets=TARGETS, calibration=calibration, gate=gate)
    with open_session(NullConsole()) as session:
        return pipeline.build(session, manifest, folder / "dist")


def proved(bundle: Path, target: str, work: Path) -> Row:
    """The target's harness over its project; skipped loudly where its toolset is not here."""
    spec = Catalog().targets[target]
    assert spec.harness is not None
    needed = stage.toolsets(Catalog())[spec.harness.toolset]
    problem = stage.problem(spec, needed)
    if problem:
        pytest.skip(problem)
    work.mkdir()
    return prove(spec, bundle, spec.root, stage.folder(needed), work, SystemRunner(), "")


@pytest.mark.parametrize("target", ["embedded.linux", "android", "ios"])
def test_every_kind_passes(target: str, bundle: Path, tmp_path: Path) -> None:
    row = proved(bundle, target, tmp_path / "work")
    assert (row.result, row.why) == ("passed", "")
    checked = {check["detail"].strip() for check in row.checks if check["stage"] == "result"}
    assert checked == set(RESULTS)
    inputs = {check["detail"].strip() for check in row.checks if check["stage"] == "input"}
    assert inputs == set(SUFFIXES)


def test_the_source_golden_holds_every_result(bundle: Path) -> None:
    records = json.loads((bundle / "golden/source/index.json").read_bytes())["records"]
    results = {record["name"]: record["result"] for record in records if record["stage"] == "result"}
    kinds = ["Detections", "Landmarks", "Mask", "Mask", "Embedding", "Values", "Classification", "Classification"]
    assert [results[name]["kind"] for name in RESULTS] == kinds
    assert 1 <= len(results["faces"]["detections"]) <= 5
    assert len(results["faces"]["detections"][0]["points"]) == 2
    assert (results["region"]["width"], results["region"]["height"]) == (45, 31), "the photo's own size"
    assert len(results["mesh"]["points"]) == 5
    assert results["reading"]["unit"] == "m/s"


def test_the_android_app_is_formatted(bundle: Path) -> None:
    found = stage.toolsets(Catalog())["android-host"]
    if not stage.is_installed(found):
        pytest.skip("toolset android-host is not installed")
    ktlint = stage.folder(found) / "lib" / "ktlint.jar"
    files = sorted(str(path) for folder in ("app", "model") for path in (bundle / "android" / folder).rglob("*.kt"))
    done = subprocess.run(["java", "-jar", str(ktlint), *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_way_back_fails_stage_result(bundle: Path, tmp_path: Path) -> None:
    file, old, new = "contract/contract_mapping.hpp", "const bool turned = a >= 5;", "const bool turned = a >= 7;"
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    path = copy / "embedded/linux" / file
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")
    row = proved(copy, "embedded.linux", tmp_path / "work")
    assert row.result == "failed"
    assert row.why.startswith("stage result"), row.why
