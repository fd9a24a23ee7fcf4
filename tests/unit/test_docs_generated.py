"""Generated pages are what the code gives today; with `UPDATE_DOCS=1` in the environment they are rewritten."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import step_table

from packager.manifest.reference import markdown
from packager.manifest.schema import json_schema
from packager.registry import Catalog

DOCS = Path(__file__).resolve().parents[2] / "docs"


PAGES = {
    "manifest.md": lambda: markdown(Catalog()).rstrip("\n") + "\n",
    "manifest.schema.json": lambda: json.dumps(json_schema(Catalog()), indent=2, ensure_ascii=False) + "\n",
    "steps.md": step_table.page,
}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    text = PAGES[name]()
    file = DOCS / name
    if os.environ.get("UPDATE_DOCS"):
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text, f"docs/{name} is old: run this test with UPDATE_DOCS=1"


def test_every_step_is_proven_in_each_language_against_the_vectors_of_today() -> None:
    how = "run the tests of the steps with UPDATE_STEPS=1 (docs/steps.md has the command)"
    assert not list(step_table.problems()), how
