"""Every sample app's contract gives its known answers through the reference and the source model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.errors import ToolMissingError
from packager.session import Session, open_session

APPS = Path(__file__).parents[2] / "sample_apps"
NAMES = sorted(folder.name for folder in APPS.iterdir() if (folder / "manifest.yaml").is_file())
SEEDED = {"gesture", "hand_sign"}
"""No labelled data comes with these models."""

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with open_session(NullConsole()) as opened:
        yield opened


def test_there_are_eight() -> None:
    assert len(NAMES) == 8
    assert all((APPS / name / "README.md").is_file() for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_gives_the_known_answers(name: str, session: Session) -> None:
    """`_contract` raises where an expectation does not hold."""
    try:
        project, made = pipeline.plan(session, APPS / name / "manifest.yaml")
        with session.cache.temporary() as scratch:
            goldens = pipeline._contract(session, project, made, scratch)
    except ToolMissingError as missing:
        pytest.skip(f"{missing.findings[0].what}: {missing.findings[0].hint}")
    assert len(goldens) == len(project.manifest.samples) >= 2
    expecting = any(sample.expect for sample in project.manifest.samples)
    assert expecting == (name not in SEEDED)
