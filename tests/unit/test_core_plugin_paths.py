from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from packager.core import paths, plugin_paths
from packager.core.errors import UsageError


@pytest.fixture(autouse=True)
def restored_paths():
    families = [importlib.import_module(f"packager.{family}") for family in plugin_paths.FAMILIES]
    before = [list(family.__path__) for family in families]
    yield
    for family, path in zip(families, before, strict=True):
        family.__path__[:] = path


def test_plug_ins_of_a_root_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "steps" / "thrown_away").mkdir(parents=True)
    (first / "steps" / "thrown_away" / "__init__.py").write_text("NAME = 'thrown away'")
    (second / "templates").mkdir(parents=True)
    monkeypatch.setenv("PACKAGER_PLUGINS", f"{first}{os.pathsep}{second}{os.pathsep}")
    plugin_paths.extend()
    plugin_paths.extend()
    steps = importlib.import_module("packager.steps")
    assert list(steps.__path__).count(str(first / "steps")) == 1
    assert importlib.import_module("packager.steps.thrown_away").NAME == "thrown away"
    assert plugin_paths.template_roots()[-1] == second / "templates"


def test_nothing_is_added_without_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PACKAGER_PLUGINS", raising=False)
    before = list(importlib.import_module("packager.steps").__path__)
    plugin_paths.extend()
    assert list(importlib.import_module("packager.steps").__path__) == before
    assert len(plugin_paths.template_roots()) <= 1


def test_a_root_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACKAGER_PLUGINS", str(tmp_path / "no"))
    with pytest.raises(UsageError, match="PACKAGER_PLUGINS names a folder that does not exist"):
        plugin_paths.extend()


def test_cache_root_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.cache_root() == tmp_path / "packager"
    assert paths.log_root().is_relative_to(paths.cache_root())
    for invalid in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", invalid)
        assert paths.cache_root() == Path.home() / ".cache" / "packager"
