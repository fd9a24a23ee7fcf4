"""What is found about targets, runtimes, formats and data before anything starts, with and without the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from project_tools import tiny_manifest, tiny_project, write_manifest

from packager.core.errors import PlanError
from packager.manifest import load
from packager.model.source import ModelSource
from packager.model.tensors import TensorSpec
from packager.plan import check, check_without_model
from packager.plan.preflight import Preflight
from packager.registry import Catalog
from packager.stages.source import inspect

CATALOG = Catalog()
SOURCE = ModelSource("onnx", "0" * 64, (), ())


def texts(folder: Path, source: ModelSource | None = SOURCE, catalog: Catalog = CATALOG, **changes: Any) -> list[str]:
    (folder / "red.png").touch()
    (folder / "blue.png").touch()
    manifest = load(write_manifest(folder, tiny_manifest(**changes)), CATALOG)
    return [finding.what for finding in Preflight(manifest, source, catalog).findings()]


def linux(runtime: str, precision: Any = "float32") -> dict[str, Any]:
    return {"embedded": {"linux": {"runtime": runtime, "precision": precision}}}


def test_a_supported_project_has_no_findings(tmp_path: Path) -> None:
    assert texts(tmp_path, targets=linux("tflite")) == []


def test_a_runtime_without_an_engine_names_those_that_have_one(tmp_path: Path) -> None:
    (tmp_path / "red.png").touch()
    (tmp_path / "blue.png").touch()
    manifest = load(write_manifest(tmp_path, tiny_manifest(targets=linux("coreml"))), CATALOG)
    (finding,) = Preflight(manifest, SOURCE, CATALOG).findings()
    assert finding.what == "target `embedded.linux` has no cpp engine for runtime `coreml`"
    assert "`tflite`" in finding.expected
    assert "`coreml`" not in finding.expected
    assert "runtime: coreml" in finding.source_line


def test_numbers_that_an_engine_does_not_take_are_found(tmp_path: Path) -> None:
    source = ModelSource("onnx", "0" * 64, (TensorSpec("ids", "int64", (1, 9)),), (TensorSpec("y", "float32", (1, 2)),))
    ios = {"ios": {"runtime": "coreml", "precision": "float32", "bundle_id": "org.example.tiny"}}
    (found,) = texts(tmp_path, source, targets=ios)
    assert found == "target `ios`: `ids` of the model is int64, its swift engine for `coreml` takes float32, int32"
    assert texts(tmp_path, source, targets=linux("tflite")) == []


def test_calibrated_precisions_need_data(tmp_path: Path) -> None:
    found = texts(tmp_path, formats=["tflite/int8"], targets=linux("tflite", ["int8", "float32"]))
    assert found == ["tflite/int8 needs calibration data"] * 2
    assert texts(tmp_path, formats=["tflite/int8"], calibration={"photo": "red.png"}) == []


@pytest.mark.parametrize("wanted", ["tflite/float16", "onnx/float32", "coreml/int8"])
def test_weights_above_two_gigabytes_stop_in_the_plan(tmp_path: Path, wanted: str) -> None:
    source = ModelSource("savedmodel", "0" * 64, (), (), facts={"parameters": 600_000_000})
    (found,) = texts(tmp_path, source, formats=[wanted])
    assert found.startswith(f"{wanted}: its weights take 2.4 GB in float32")
    assert texts(tmp_path, replace(source, facts={"parameters": 500_000_000}), formats=[wanted]) == []


@pytest.mark.parametrize("wanted", ["tflite/int8", "onnx/int8"])
def test_an_int8_file_that_is_taken_as_it_is_needs_no_data(tmp_path: Path, wanted: str) -> None:
    source = ModelSource("tflite", "0" * 64, (), (), facts={"precision": "int8"})
    assert texts(tmp_path, source, formats=[wanted]) == []
    floats = ModelSource("tflite", "0" * 64, (), (), facts={"precision": "float32"})
    assert texts(tmp_path, floats, formats=[wanted]) == [f"{wanted} needs calibration data"]


def test_a_quantised_onnx_file_needs_no_data(tmp_path: Path) -> None:
    source = ModelSource("onnx", "0" * 64, (), (), ops={"QuantizeLinear": 3})
    assert texts(tmp_path, source, formats=["onnx/int8"]) == []


def test_without_the_model_no_data_is_asked_for(tmp_path: Path) -> None:
    assert texts(tmp_path, None, formats=["tflite/int8"]) == []  # it may be an int8 file, which is copied


def test_whether_data_is_needed_is_the_runtimes_word(tmp_path: Path) -> None:
    uncalibrated = SimpleNamespace(calibrated=lambda *_: False, check=lambda *_: ())
    catalog = cast("Catalog", SimpleNamespace(runtimes={"tflite": uncalibrated}, targets={}))
    assert texts(tmp_path, catalog=catalog, formats=["tflite/int8"]) == []


def test_what_a_runtime_cannot_convert_is_said(tmp_path: Path) -> None:
    refusing = SimpleNamespace(calibrated=lambda *_: False, check=lambda _, precision: (f"no {precision} of this",))
    catalog = cast("Catalog", SimpleNamespace(runtimes={"onnx": refusing}, targets={}))
    assert texts(tmp_path, catalog=catalog) == ["onnx/float32: no float32 of this"]
    assert texts(tmp_path, None, catalog) == []  # the source is not known


def test_without_samples_nothing_can_be_proven(tmp_path: Path) -> None:
    assert ["there are no samples" in text for text in texts(tmp_path, samples=None)] == [True]


def test_a_missing_model_does_not_hide_the_rest(tmp_path: Path) -> None:
    (tmp_path / "red.png").touch()
    (tmp_path / "blue.png").touch()
    manifest = load(write_manifest(tmp_path, tiny_manifest(targets=linux("coreml", "float16"))), CATALOG)
    with pytest.raises(PlanError, match="no cpp engine"):
        check_without_model(manifest, CATALOG)


def test_a_step_without_code_in_a_targets_language_is_found(tmp_path: Path) -> None:
    class WithoutCpp(Catalog):
        def native_files(self, step: str, language: Any) -> tuple[Path, ...]:
            found = super().native_files(step, language)
            return () if (step, language.name) == ("normalize", "cpp") else found

    file = tiny_project(tmp_path, targets=linux("tflite"))
    catalog = WithoutCpp()
    manifest = load(file, catalog)
    found = inspect(tmp_path / "tiny.onnx", {}, catalog)
    with pytest.raises(PlanError) as caught:
        check(manifest, found, catalog, lambda address: tmp_path / str(address))
    (finding,) = caught.value.findings
    assert finding.what == "step `normalize` has no cpp code for these parameters, which target `embedded.linux` needs"
    assert "normalize" in finding.source_line
