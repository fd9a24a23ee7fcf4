"""What tests of all components share. The cache is the user's own, so that conversions are made once for all runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from project_tools import ROOT, tiny_project

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.locks import lock, open_for_lock
from packager.session import Session, open_session

# A shell that starts this run in the background has it ignore Ctrl-C, and every child with it; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def session() -> Iterator[Session]:
    """What a command works with, silent; its workers end with the test."""
    with open_session(NullConsole()) as opened:
        yield opened


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the root manifest, built once. Tests read it; those that change it take `bundle`."""
    with _one_process_at_a_time(tmp_path_factory), open_session(NullConsole()) as opened:
        return pipeline.build(opened, ROOT / "manifest.yaml", tmp_path_factory.mktemp("dist"))


@contextmanager
def _one_process_at_a_time(factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where tests run in several processes, the first converts and the others find it in the cache."""
    handle = open_for_lock(factory.getbasetemp().parent / "built.lock", create=True)
    lock(handle, exclusive=True, wait=True)
    try:
        yield
    finally:
        os.close(handle)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """Manifest of a small project with a model of its own."""
    return tiny_project(tmp_path / "tiny")
