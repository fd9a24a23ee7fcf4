"""The pinned toolset `swift` for tests: skipped loudly where it is not installed or this user may not enter it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from project_tools import ROOT

from packager.registry import Catalog
from packager.stages import toolset as stage

NAME = "swift"
HOST = ROOT / "templates" / "ios" / "host"
sys.path.insert(0, str(HOST))


def toolset() -> Path:
    """Its folder."""
    found = stage.toolsets(Catalog())[NAME]
    problem = stage.problem(Catalog().targets["ios"], found)
    if problem:
        pytest.skip(problem)
    return stage.folder(found)


def inside(work: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the Swift tree, with `work` at `/proof`; its output is returned."""
    import tree

    command = ["sh", "-c", 'exec "$@" 2>&1', "sh", *argv]
    return tree.run(toolset(), work, command, output=subprocess.PIPE)


def harness(command: str, project: Path, bundle: Path, work: Path) -> subprocess.CompletedProcess[str]:
    """Run one command of the harness."""
    argv = [sys.executable, "-B", str(HOST / "harness.py"), command]
    for name, value in (("project", project), ("bundle", bundle), ("work", work), ("toolset", toolset())):
        argv += [f"--{name}", str(value)]
    return subprocess.run(argv, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
