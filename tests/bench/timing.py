"""Time and memory of other processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packager.core.worker import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Done:
    """A finished process: seconds, peak of resident memory in bytes (its own, without children), and its output."""

    seconds: float
    peak: int
    code: int
    output: str


def run(command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None, limit: float = 1800) -> Done:
    """Run a command under the environment of the packager's workers; kills it after `limit` seconds."""
    started = time.monotonic()
    log = cwd / "bench.log"
    with log.open("wb") as file:
        given = {**os.environ, **ENVIRONMENT, **(env or {})}
        child = subprocess.Popen(
            [str(part) for part in command], cwd=cwd, env=given, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() - started > limit:
                child.kill()
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text("utf-8", "replace")
    return Done(time.monotonic() - started, usage.ru_maxrss * 1024, child.returncode, output)


def python(code: str, cwd: Path, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Done:
    """Run Python code with this interpreter, the packager and the tests' helpers importable."""
    search = os.pathsep.join(str(path) for path in (ROOT, ROOT / "tests", ROOT / "tests/unit"))
    return run([sys.executable, "-c", code, *arguments], cwd, {"PYTHONPATH": search, **(env or {})})


def best(function: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of some calls, after two that do not count."""
    function()
    function()
    fastest = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        fastest = min(fastest, time.perf_counter() - started)
    return fastest
