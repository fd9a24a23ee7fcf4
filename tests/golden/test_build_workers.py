"""Conversions in workers: order and cache do not show in the bytes; a worker that fails is one clear error.

`misbehaving` is a double: a runtime plug-in that copies ONNX files, or dies, hangs or eats memory as it is told. It
stands for a converter that crashes, which cannot be had on demand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from project_tools import tiny_project

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.hashing import tree_hash
from packager.session import open_session
from packager.stages import convert
from packager.workshop import Workshop

FORMATS = ["coreml/float16", "coreml/float32", "onnx/float16", "tflite/float32", "tflite/int8"]

DOUBLE = '''
"""A double: ONNX, whose conversion fails as the file beside it says."""
from packager.runtimes.onnx import *  # noqa: F403
from packager.runtimes import onnx as _real
SUMMARY = "misbehaving double"
CONVERT = "packager.runtimes.misbehaving.convert:convert"
CODE = (*_real.CODE, "packager.runtimes.misbehaving")
'''
HOW = {
    "dies": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
    "hangs": "import time\ntime.sleep(600)",
    "eats": "import time\nheld = []\nwhile True:\n    held.append(b'1' * (64 << 20))\n    time.sleep(0.02)",
}
SAID = {
    "dies": "convert to misbehaving/float32 ended its worker by signal SIGSEGV",
    "hangs": "convert to misbehaving/float32 did not end within its time limit of 20 s and was stopped",
    "eats": "MiB of memory and was stopped",
}
LIMITS = {"dies": "", "hangs": "convert.TIME_LIMIT = 20.0", "eats": "convert.MEMORY_LIMIT = 700 << 20"}
DRIVER = """
from packager.stages import convert
{limits}
from packager.cli import main
main()
"""


@pytest.mark.heavy
@pytest.mark.parametrize("how", HOW)
def test_a_worker_that_fails_is_a_clear_error_and_leaves_nothing(how: str, tmp_path: Path) -> None:
    home = tmp_path / "plugins/runtimes/misbehaving"
    home.mkdir(parents=True)
    (home / "__init__.py").write_text(DOUBLE)
    body = HOW[how].replace("\n", "\n    ")
    (home / "convert.py").write_text(f"def convert(request, inputs, out):\n    (out / 'half').touch()\n    {body}\n")
    file = tiny_project(tmp_path / "p", formats=["misbehaving/float32"])
    cache = tmp_path / "cache"
    environment = {**os.environ, "PACKAGER_PLUGINS": str(tmp_path / "plugins"), "XDG_CACHE_HOME": str(cache)}
    command = [
        sys.executable,
        "-P",
        "-c",
        DRIVER.format(limits=LIMITS[how]),
        "build",
        str(file),
        "--out",
        str(tmp_path / "dist"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 11, done.stderr
    assert SAID[how] in done.stderr
    assert "What it said: " in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "dist").exists()
    entries = (cache / "packager/entries").iterdir()
    assert not any((entry / "half").exists() for entry in entries)
    assert list((cache / "packager/tmp").iterdir()) == []


def converted(file: Path, *, side_by_side: bool) -> tuple[dict[str, str], int]:
    """Hash of each conversion's folder by artefact, and how many workers were started."""
    with open_session(NullConsole()) as session, session.cache.temporary() as scratch:
        project, made = pipeline.plan(session, file)
        workshop = Workshop(session, project, made, (), scratch)
        if side_by_side:
            workshop.convert_all(made.artifacts)
        else:
            for request in reversed(made.artifacts):
                session.actions.run(workshop._conversion(request))
        folders: dict[str, Any] = {r.id: session.actions.find(workshop._conversion(r)) for r in made.artifacts}
        return {name: tree_hash(folder) for name, folder in folders.items()}, session.pool.started


@pytest.mark.heavy
def test_the_order_of_conversions_does_not_show_in_their_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In two workers side by side with nothing cached, and one after the other backwards with what is cached."""
    file = tiny_project(tmp_path / "p", formats=FORMATS, calibration={"photo": "red.png"})
    usual, _ = converted(file, side_by_side=False)
    cold = tmp_path / "cold"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cold))
    monkeypatch.setattr(convert, "available_memory", lambda: 16 << 30)
    found, started = converted(file, side_by_side=True)
    assert started == 2
    assert found == usual
    assert sorted(found) == sorted(FORMATS)
