"""Generated pages are what the code gives today; with `UPDATE_DOCS=1` in the environment they are rewritten."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from packager.core.languages import LANGUAGES
from packager.manifest.reference import markdown
from packager.manifest.schema import json_schema
from packager.registry import Catalog

DOCS = Path(__file__).resolve().parents[2] / "docs"


def steps_table() -> str:
    """Which step has code in which language, from the folders themselves."""
    catalog = Catalog()
    names = {"cpp": "C++", "kotlin": "Kotlin", "swift": "Swift"}
    head = "| step | does | Python | " + " | ".join(names[name] for name in LANGUAGES) + " |\n"
    rows = [head, "|---|---|---|" + "---|" * len(LANGUAGES) + "\n"]
    for name, module in catalog.steps.items():
        cells = ["yes" if catalog.native_files(name, language) else "-" for language in LANGUAGES.values()]
        rows.append(f"| `{name}` | {module.SUMMARY} | yes | " + " | ".join(cells) + " |\n")
    intro = (
        "# Steps\n\nWritten by `tests/unit/test_docs_generated.py`; do not edit. The Python reference is the\n"
        "definition. Native code is compared with it by the vectors of `tests/contract/vectors`, to the bit where no\n"
        "tolerance is stated. A target whose language lacks a step is refused by `packager check`, naming the step.\n\n"
    )
    return intro + "".join(rows)


PAGES = {
    "manifest.md": lambda: markdown(Catalog()).rstrip("\n") + "\n",
    "manifest.schema.json": lambda: json.dumps(json_schema(Catalog()), indent=2, ensure_ascii=False) + "\n",
    "steps.md": steps_table,
}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_current(name: str) -> None:
    text = PAGES[name]()
    file = DOCS / name
    if os.environ.get("UPDATE_DOCS"):
        file.write_text(text, "utf-8")
    assert file.read_text("utf-8") == text, f"docs/{name} is old: run this test with UPDATE_DOCS=1"
