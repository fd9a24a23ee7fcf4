"""What the repository says of its sample apps: commands, seeded inputs, and the recorded run in every language."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
APPS = ROOT / "sample_apps"
NAMES = sorted(folder.name for folder in APPS.iterdir() if (folder / "manifest.yaml").is_file())
LANGUAGES = {"kotlin", "swift", "c++"}


def manifest(app: str) -> dict[str, Any]:
    """The manifest as plain data."""
    data: dict[str, Any] = yaml.safe_load((APPS / app / "manifest.yaml").read_text("utf-8"))
    return data


@pytest.mark.parametrize("app", NAMES)
def test_the_readme_gives_the_real_commands(app: str) -> None:
    text = (APPS / app / "README.md").read_text("utf-8")
    given = manifest(app)
    assert f"    packager build sample_apps/{app}/manifest.yaml " in text
    assert f"    packager test dist/{given['name']}-{given['version']} " in text


@pytest.mark.parametrize("app", NAMES)
def test_the_readme_says_whether_answers_are_known(app: str) -> None:
    words = " ".join((APPS / app / "README.md").read_text("utf-8").split())
    labelled = all("expect" in sample for sample in manifest(app)["samples"])
    assert ("seeded inputs without labels" in words) == (not labelled)
    assert ("**Known answers:** none." in words) == (not labelled)


@pytest.mark.parametrize("app", NAMES)
def test_the_recorded_run_passed_in_every_language(app: str) -> None:
    rows = {row["app"]: row for row in json.loads((ROOT / "docs" / "apps.json").read_text("utf-8"))["apps"]}
    assert rows[app]["result"] == "passed", rows[app]["why"]
    assert {target["language"] for target in rows[app]["targets"] if target["result"] == "passed"} == LANGUAGES
    assert len(rows[app]["answers"]) >= len(manifest(app)["samples"])
