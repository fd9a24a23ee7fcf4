"""The plan: a DAG whose order respects its needs, the artefacts that are wanted, and what was noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from project_tools import tiny_project

from packager.manifest import load
from packager.model.plan import Plan
from packager.model.source import ModelSource
from packager.plan import check, make
from packager.registry import Catalog
from packager.stages import source

CATALOG = Catalog()


def plan(folder: Path, only: tuple[str, ...] = (), found: ModelSource | None = None, **changes: Any) -> Plan:
    file = tiny_project(folder, **changes)
    manifest = load(file, CATALOG)
    found = found or source.inspect(folder / "tiny.onnx", {}, CATALOG)
    chains = check(manifest, found, CATALOG, lambda address: folder / str(address))
    return make(manifest, found, chains, CATALOG, only)


TARGETS: dict[str, Any] = {
    "android": {"runtime": "tflite", "precision": ["int8", "float32"], "application_id": "org.example.tiny"},
    "embedded": {"linux": {"runtime": "tflite", "precision": "float32"}},
}
CALIBRATION = {"photo": ["red.png", "blue.png"]}


def test_every_job_comes_after_what_it_needs(tmp_path: Path) -> None:
    made = plan(tmp_path, targets=TARGETS, calibration=CALIBRATION)
    seen: set[str] = set()
    for job in made.jobs:
        assert set(job.needs) <= seen, job
        seen.add(job.id)
    assert {"contract", "calibration", "convert:tflite/int8", "verify:onnx/float32", "render:android"} <= seen
    assert made.jobs[-1].id == "bundle"
    assert set(made.jobs[-1].needs) == {"verify:onnx/float32", "render:android", "render:embedded.linux"}


def test_artefacts_are_shared_and_say_who_wants_them(tmp_path: Path) -> None:
    made = plan(tmp_path, targets=TARGETS, calibration=CALIBRATION, formats=["tflite/float32"])
    assert {artifact.id: artifact.wanted_by for artifact in made.artifacts} == {
        "tflite/float32": ("formats", "embedded.linux"),
        "tflite/int8": ("android",),
    }


def test_only_calibrated_conversions_wait_for_calibration(tmp_path: Path) -> None:
    needs = {j.id: j.needs for j in plan(tmp_path, targets=TARGETS, calibration=CALIBRATION).jobs}
    assert needs["convert:tflite/int8"] == ("contract", "calibration")
    assert needs["convert:onnx/float32"] == ("contract",)
    assert "calibration" not in {job.id for job in plan(tmp_path / "float").jobs}


def test_only_keeps_the_named_targets(tmp_path: Path) -> None:
    made = plan(tmp_path, ("embedded.linux",), targets=TARGETS, calibration=CALIBRATION)
    assert [target.id for target in made.targets] == ["embedded.linux"]
    assert "tflite/int8" not in {artifact.id for artifact in made.artifacts}
    assert "render:android" not in {job.id for job in made.jobs}


def test_a_sample_that_expects_nothing_is_noted(tmp_path: Path) -> None:
    assert plan(tmp_path).notes == ()
    (note,) = plan(tmp_path / "silent", samples=[{"photo": "red.png"}]).notes
    assert "a wrong contract cannot be noticed" in note


def test_sizes_are_predicted_by_the_number_of_weights(tmp_path: Path) -> None:
    seen = source.inspect(tiny_project(tmp_path).parent / "tiny.onnx", {}, CATALOG)
    known = ModelSource(**{**vars(seen), "facts": {**seen.facts, "parameters": 1000}})
    made = plan(tmp_path, found=known, targets=TARGETS, calibration=CALIBRATION)
    assert made.estimated_bytes == {"onnx/float32": 4000, "tflite/float32": 4000, "tflite/int8": 1000}


def test_what_a_targets_own_test_needs_is_built_as_well(tmp_path: Path) -> None:
    for target in CATALOG.targets.values():
        for name in target.harness.artifacts if target.harness else ():
            precision = next(rt for rt in CATALOG.runtimes if CATALOG.engine(rt, target.language))
            options = {key: option.default for key, option in target.options.items() if not option.required}
            options |= {"bundle_id": "org.example.tiny"} if "bundle_id" in target.options else {}
            wanted = {target.id: {"runtime": precision, "precision": "float32", **options}}
            made = plan(tmp_path / target.id, targets=wanted, formats=None)
            by = {artifact.id: artifact.wanted_by for artifact in made.artifacts}
            assert by[name] == (f"test of {target.id}",)
            assert f"verify:{name}" in made.jobs[-1].needs
