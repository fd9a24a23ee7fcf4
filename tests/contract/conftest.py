"""Keeps what each file of step tests saw of the references (`vectors/proof.py`)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

import proof


@pytest.fixture(scope="module", autouse=True)
def seen_by_this_file(request: pytest.FixtureRequest) -> Iterator[None]:
    """Stores the file's rows where all of its tests ran and passed; a part of them would give wrong counts."""
    failed = request.session.testsfailed
    proof.begin()
    yield
    name = Path(str(request.node.path)).stem
    if request.session.testsfailed == failed and whole(request.config) and name.startswith("test_steps_"):
        proof.end(name.removeprefix("test_steps_"))


def whole(config: pytest.Config) -> bool:
    """Whether nothing in the command line leaves out tests of a file."""
    asked = config.option
    narrowed = (asked.keyword, asked.markexpr, asked.deselect, getattr(asked, "lf", False), asked.maxfail)
    return not any(narrowed) and not any("::" in str(argument) for argument in config.args)
