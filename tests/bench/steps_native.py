"""Compiles and runs a driver with the native files of some steps, in each language; gives the times it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "native"))

import pytest

import packager.steps
from packager.core.paths import cache_root

STEPS = Path(packager.steps.__file__).parent
Times = dict[str, float]
Row = dict[str, Any]


def run(argv: Sequence[str], **options: Any) -> str:
    """Output of a command that must succeed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {done.stdout}{done.stderr}")
    return done.stdout


def parse(text: str) -> Times:
    """Lines of `name milliseconds`."""
    return {name: float(value) for name, value in (line.split() for line in text.splitlines() if line.strip())}


def measure(name: str, take: Callable[[], Times], skipped: list[Row]) -> Times | None:
    """The times, or None and a row with the reason where the tools are not here."""
    try:
        return take()
    except pytest.skip.Exception as reason:
        skipped.append({"what": name, "skipped": str(reason)})
    except (OSError, RuntimeError, subprocess.CalledProcessError) as fault:
        skipped.append({"what": name, "skipped": str(fault)[:300]})
    return None


def oracle(name: str, packages: Sequence[str]) -> str:
    """The Python of an environment of its own that holds a library; made once and kept in the cache."""
    folder = cache_root() / "oracles" / name
    python = folder / "bin" / "python"
    if not (folder / "ready").is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
        (folder / "ready").touch()
    return str(python)


def native_files(suffix: str, kit: str, steps: Sequence[str]) -> list[Path]:
    """The kit's types and the files of the steps in use."""
    files = sorted((STEPS / kit).glob(f"Contract*{suffix}"))
    return files + [file for step in steps for file in sorted((STEPS / step).glob(f"*{suffix}"))]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that goes away."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def cpp(source: str, steps: Sequence[str], compiler: str = "g++") -> Times:
    """The C++ steps at -O3, one thread."""
    with folder() as work:
        (work / "bench.cpp").write_text(source, "utf-8")
        includes = [f"-I{STEPS / step}" for step in ("_cpp", *steps)]
        flags = ["-O3", "-std=c++17", "-ffp-contract=off"]
        run([compiler, *flags, *includes, str(work / "bench.cpp"), "-o", str(work / "bench"), "-lm"])
        return parse(run([str(work / "bench")]))


def kotlin(source: str, steps: Sequence[str]) -> Times:
    """The Kotlin steps on the JVM, with the compiler that its defaults choose."""
    from android_toolset import kotlinc, toolset

    tools = toolset()
    with folder() as work:
        (work / "Bench.kt").write_text(source, "utf-8")
        kotlinc(tools, work / "classes", [], [work / "Bench.kt", *native_files(".kt", "_kotlin", steps)])
        path = os.pathsep.join([str(work / "classes"), str(tools / "kotlinc" / "kotlin-stdlib.jar")])
        return parse(run(["java", "-Xmx1g", "-XX:+UseSerialGC", "-cp", path, "packager.contract.BenchKt"]))


def swift(source: str, steps: Sequence[str]) -> Times:
    """The Swift steps with -O."""
    from ios_toolset import inside, toolset

    toolset()
    with folder() as work:
        for file in native_files(".swift", "_swift", steps):
            shutil.copy(file, work)
        (work / "main.swift").write_text(source, "utf-8")
        sources = [f"/proof/{path.name}" for path in sorted(work.glob("*.swift"))]
        done = inside(
            work, "swiftc", "-O", "-swift-version", "6", "-module-name", "Steps", "-o", "/proof/bench", *sources
        )
        if done.returncode != 0:
            raise RuntimeError(done.stdout)
        return parse(inside(work, "/proof/bench").stdout)
