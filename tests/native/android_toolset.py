"""The pinned toolset `android-host` for tests: skipped loudly where it is not installed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from packager.registry import Catalog
from packager.stages import toolset as stage

NAME = "android-host"


def toolset() -> Path:
    """Its folder."""
    found = stage.toolsets(Catalog())[NAME]
    if not stage.is_installed(found):
        pytest.skip(f"toolset {NAME} is not installed: packager doctor --install {NAME}")
    return stage.folder(found)


def java(classpath: Sequence[Path], *arguments: str | Path) -> list[str]:
    """A Java command that starts fast."""
    path = os.pathsep.join(map(str, classpath))
    return ["java", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", path, *map(str, arguments)]


def kotlinc(tools: Path, out: Path, classpath: Sequence[Path], sources: Sequence[Path], *options: str) -> None:
    """Compile; a warning is an error."""
    path = os.pathsep.join(map(str, [tools / "kotlinc" / "kotlin-stdlib.jar", *classpath]))
    main = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
    flags = ("-no-stdlib", "-no-reflect", "-Werror", "-jvm-target", "11", *options)
    command = java([tools / "kotlinc" / "*"], main, *flags, "-cp", path, "-d", str(out), *map(str, sources))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
