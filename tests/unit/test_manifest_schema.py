"""The JSON Schema and the reference page say what the loader does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from manifest_catalog import SmallCatalog, catalog
from manifest_project import COMPLETE, findings, make_project, read, replaced

from packager.manifest import load
from packager.manifest.loader import KEYS, RESERVED
from packager.manifest.reference import markdown
from packager.manifest.schema import json_schema
from packager.registry import Catalog

WRONG = {
    "unknown key": replaced("name: person", "nmae: person"),
    "missing license": replaced("license: Zlib\n", ""),
    "other format": replaced("packager: 1", "packager: 2"),
    "bad name": replaced("name: person-detector", "name: Person"),
    "bad version": replaced("version: 1.0.0", "version: '1.0'"),
    "bad shape": replaced("[1, 96, 96, 3]", "[1, 0, 96, 3]"),
    "bad sha256": replaced("a" * 64, "a" * 63),
    "unknown registry": replaced("pypi:silabs", "pipi:silabs"),
    "reserved name": replaced("  verdict:\n    steps", "  class:\n    steps"),
    "two kinds": replaced("{image: {max: 12 MP}}", "{image: {}, tensor: raw}"),
    "no kind": replaced("{image: {max: 12 MP}}", "{}"),
    "bad megapixels": replaced("12 MP", "12 megapixels"),
    "unknown step": replaced("- resize:", "- rezise:"),
    "unknown parameter": replaced("width: 96", "widht: 96"),
    "parameter out of range": replaced("width: 96", "width: 0"),
    "unknown choice": replaced("fit: crop", "fit: corp"),
    "bare step with parameters": replaced("- softmax", "- resize"),
    "two steps in one": replaced("- softmax", "- {softmax: {}, labels: {}}"),
    "srgb": replaced("{photo: samples/astronaut.png,", "{photo: samples/astronaut.png, srgb: always,"),
    "score": replaced("[0.90, 0.95]", "[0.90]"),
    "expect nothing": replaced("{label: person, score: [0.90, 0.95]}", "{}"),
    "unknown gate": replaced("gate: {int8:", "gate: {int9:"),
    "bad gate": replaced("cosine: 0.98", "cosine: 98"),
    "unknown format": replaced("onnx/float32", "onnx/int8"),
    "unknown target": replaced("  android:", "  andriod:"),
    "target without precision": replaced("runtime: tflite, precision: int8, threads", "runtime: tflite, threads"),
    "precision of another runtime": replaced("runtime: tflite, precision: int8", "runtime: onnx, precision: int8"),
    "missing option": replaced(", application_id: org.example.person", ""),
    "malformed option": replaced("org.example.person", "person"),
    "option of wrong type": replaced("threads: 2", "threads: many"),
    "reserved key": COMPLETE + "mode: server\n",
}


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json_schema(catalog())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _value(text: str) -> Any:
    class Loader(yaml.SafeLoader):
        """YAML 1.1 reads `1e-4` as a text; editors read YAML 1.2."""

    return yaml.load(text.replace("1e-4", "0.0001"), Loader)


def test_complete_is_valid(validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(_value(COMPLETE))] == []


@pytest.mark.parametrize("name", WRONG)
def test_wrong_is_refused_by_schema_and_loader(name: str, validator: Any, tmp_path: Path) -> None:
    assert not validator.is_valid(_value(WRONG[name]))
    assert findings(make_project(tmp_path), WRONG[name])


@pytest.mark.parametrize(
    "text",
    [
        replaced("- softmax", "- softmax:"),
        replaced("file: labels.txt", "names: ['a', 'b']"),
        replaced('"calibration/*.png"', "[calibration/a.png]"),
        replaced("{image: {max: 12 MP}}", "{tensor: raw}"),
        replaced("label: person", "label: 1"),
        replaced("precision: [int8, float32]", "precision: [float32]"),
    ],
)
def test_other_forms_are_taken_by_schema_and_loader(text: str, validator: Any, tmp_path: Path) -> None:
    assert [error.message for error in validator.iter_errors(_value(text))] == []
    assert read(make_project(tmp_path), text).name == "person-detector"


def test_every_key_is_described(validator: Any) -> None:
    schema = validator.schema
    parts = {"top": schema, **schema["$defs"]}
    lacking = [
        f"{part}.{key}"
        for part, value in parts.items()
        for key, inner in value.get("properties", {}).items()
        if part.split(".")[0] != "step" and part != "Step" and not inner.get("description")
    ]
    assert lacking == []


def test_new_plugins_appear_without_another_change() -> None:
    small = SmallCatalog()
    small.steps = {**small.steps, "throw_away": small.steps["resize"]}
    small.targets = {**small.targets, "web.worker": small.targets["android"]}
    small.runtimes = {**small.runtimes, "another": small.runtimes["onnx"]}
    schema = json_schema(small)  # type: ignore[arg-type]
    assert schema["$defs"]["Step"]["anyOf"][0]["properties"]["throw_away"]
    assert schema["properties"]["targets"]["properties"]["web"]["properties"]["worker"]
    assert "another/float32" in schema["properties"]["formats"]["items"]["enum"]
    page = markdown(small)  # type: ignore[arg-type]
    assert "### throw_away\n" in page
    assert "### web.worker\n" in page
    assert "| `another` | `float32` |" in page


def test_schema_and_reference_of_what_is_installed() -> None:
    installed = Catalog()
    jsonschema.Draft202012Validator.check_schema(json_schema(installed))
    page = markdown(installed)
    for name in (*installed.steps, *installed.targets):
        assert f"### {name}\n" in page


def test_reference_names_every_key() -> None:
    page = markdown(catalog())
    assert all(f"| `{key}` |" in page for key in KEYS)
    assert all(f"`{key}`" in page for key in RESERVED)
    assert "| `width` | a whole number from 1 to 16384 | yes | Width in pixels. |" in page
    assert "| `min_sdk` | one of: 21, 24, 26 | no (`21`) | Oldest Android. |" in page
    assert "| `srgb` | one of: convert, ignore | no |" in page
    assert page == markdown(catalog())
    assert page.endswith("\n")


def test_root_manifest() -> None:
    file = Path(__file__).parents[2] / "manifest.yaml"
    installed = Catalog()
    assert load(file, installed).targets
    validator = jsonschema.Draft202012Validator(json_schema(installed))
    assert [error.message for error in validator.iter_errors(_value(file.read_text(encoding="utf-8")))] == []
