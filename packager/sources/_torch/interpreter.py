"""Interpreters that have torch: the pinned toolset, this machine's own ones, or the one that the manifest names."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packager.core.errors import ToolMissingError
from packager.core.hashing import json_hash
from packager.core.paths import cache_root

TOOLSET = "torch"
LAUNCHER = "python"
"""In the toolset's folder: a program that starts its Python."""

INSTALL = f"packager doctor --install {TOOLSET}"
_PROBE = """
import importlib.util, json, pathlib, sys
spec = importlib.util.find_spec("torch")
file = pathlib.Path(spec.origin).with_name("version.py") if spec and spec.origin else None
text = file.read_text("utf-8") if file and file.is_file() else ""
print(json.dumps({"python": "%d.%d.%d" % sys.version_info[:3], "text": text}))
"""
_VERSION = re.compile(r"""^__version__\s*=\s*['"]([^'"]+)['"]""", re.MULTILINE)


@dataclass(frozen=True)
class Interpreter:
    """A Python with torch: its program, and the versions of both."""

    path: Path
    python: str
    torch: str

    @property
    def identity(self) -> str:
        """Hash of what decides its results; its place does not."""
        return json_hash({"python": self.python, "torch": self.torch})

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version of torch."""
        found = re.match(r"(\d+)\.(\d+)", self.torch)
        return (int(found[1]), int(found[2])) if found else (0, 0)


def found() -> tuple[Interpreter, ...]:
    """All interpreters with torch on this machine, the pinned one first."""
    probed = [probe(path) for path in _candidates()]
    return tuple(each for each in probed if each is not None)


def choose(given: str | None, least: tuple[int, int]) -> Interpreter:
    """The interpreter to use: `given` by the manifest, or the first that has torch of version `least` or newer.

    Raises ToolMissingError.
    """
    if given is not None:
        return _given(given, least)
    here = found()
    for each in here:
        if each.release >= least:
            return each
    only = ", ".join(f"torch {each.torch} of {each.path}" for each in here)
    raise ToolMissingError(
        f"no Python with torch {_text(least)} or newer on this machine" + (f": only {only}" if only else ""),
        expected=f"torch {_text(least)} or newer, outside of packager's own environment",
        hint=f"`{INSTALL}` fetches one; `python:` under `model:` names another interpreter",
    )


def _given(given: str, least: tuple[int, int]) -> Interpreter:
    program = shutil.which(str(Path(given).expanduser()))
    chosen = probe(Path(program)) if program else None
    if chosen is None:
        what = "has no torch" if program else "is not on this machine"
        hint = f"name an interpreter that has torch, or leave `python:` out and type `{INSTALL}`"
        raise ToolMissingError(f"the interpreter {given} {what}", expected="a Python that imports torch", hint=hint)
    if chosen.release < least:
        raise ToolMissingError(f"the interpreter {given} has torch {chosen.torch}", expected=f"{_text(least)} or newer")
    return chosen


def _candidates() -> Iterator[Path]:
    folder = cache_root() / "toolsets" / TOOLSET
    if (folder / "installed.json").is_file():
        yield folder / LAUNCHER
    seen = set()
    for name in ("python3", "/usr/bin/python3", sys.executable):
        program = shutil.which(name)
        if program is not None and program not in seen:
            seen.add(program)
            yield Path(program)


@cache
def probe(path: Path) -> Interpreter | None:
    """The versions of an interpreter without importing torch; None where it has none or does not start."""
    argv = [str(path), "-c", _PROBE]
    try:
        done = subprocess.run(argv, capture_output=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
        said = json.loads(done.stdout)
        version = _VERSION.search(said["text"])
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
    return Interpreter(path, said["python"], version[1]) if version else None


def _text(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"
