"""A pinned set of tools that a harness needs, as its `toolset.toml` describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packager.model.address import PackageFile


@dataclass(frozen=True)
class AptPackage:
    """A Debian package; `command` is a program whose presence shows that it is installed."""

    name: str
    command: str


@dataclass(frozen=True)
class ToolsetFile:
    """One file of a registry package, placed at `to` in the toolset's folder."""

    source: PackageFile
    to: str


@dataclass(frozen=True)
class Script:
    """A command that completes the set; `argv` may hold `{toolset}`, `{host}`, `{python}`."""

    name: str
    argv: tuple[str, ...]
    timeout: float = 1800.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Toolset:
    """Everything a harness needs beside the project; `size` in words, for the printed plan."""

    name: str
    summary: str
    host: Path
    size: str
    apt: tuple[AptPackage, ...] = ()
    files: tuple[ToolsetFile, ...] = ()
    scripts: tuple[Script, ...] = ()
    needs_root: bool = False
    identity: str = ""
