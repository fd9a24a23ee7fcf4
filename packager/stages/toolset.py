"""Stage toolset: what a harness needs, whether it is here, and fetching a pinned set."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ChildFailedError, RenderError, ToolMissingError
from packager.core.hashing import content_hash, json_hash
from packager.core.paths import cache_root, log_root
from packager.core.process import Command, Runner
from packager.core.replace import replace_file
from packager.model.address import PackageFile
from packager.model.target import TargetSpec
from packager.model.toolset import AptPackage, Script, Toolset, ToolsetFile
from packager.registry import Catalog

Fetch = Callable[[PackageFile], Path]
Say = Callable[[str], None]
INSTALLED = "installed.json"


def toolsets(catalog: Catalog) -> dict[str, Toolset]:
    """All toolsets by name: from the `host/toolset.toml` of every target, the `toolset.toml` beside sources
    and language kits.
    """
    files = [target.folder / "host" / "toolset.toml" for target in catalog.targets.values()]
    files += [file for root in catalog.sources.roots for file in sorted(root.glob("*/toolset.toml"))]
    files += [file for root in catalog.steps.roots for file in sorted(root.glob("_*/toolset.toml"))]
    found = {}
    for file in files:
        if file.is_file():
            toolset = read_toolset(file)
            found[toolset.name] = toolset
    return found


def read_toolset(file: Path) -> Toolset:
    """Parse one `toolset.toml`; a fault in it is the target author's, and is named with the file."""
    try:
        data = tomllib.loads(file.read_text("utf-8"))
        return Toolset(
            name=data["name"],
            summary=data["summary"],
            host=file.parent,
            size=data.get("size", ""),
            apt=tuple(AptPackage(item["name"], item["command"]) for item in data.get("apt", ())),
            files=tuple(_file(item) for item in data.get("file", ())),
            scripts=tuple(_script(item) for item in data.get("script", ())),
            needs_root=data.get("needs_root", False),
            identity=_identity(file, data),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as fault:
        raise RenderError(
            f"{file.parent.parent.name}/{file.parent.name}/toolset.toml cannot be read: {fault}"
        ) from fault


def _identity(file: Path, data: Mapping[str, Any]) -> str:
    """Hash of the description and of the scripts that it runs: another harness needs no new installation."""
    words = [word for script in data.get("script", ()) for word in script["argv"] if word.startswith("{host}/")]
    files = [file, *(file.parent / word.removeprefix("{host}/") for word in words)]
    return json_hash({path.name: content_hash(path) for path in files})


def _file(item: Mapping[str, Any]) -> ToolsetFile:
    return ToolsetFile(PackageFile.model_validate({k: v for k, v in item.items() if k != "to"}), item["to"])


def _script(item: Mapping[str, Any]) -> Script:
    return Script(item["name"], tuple(item["argv"]), float(item.get("timeout", 1800.0)), item.get("env", {}))


def folder(toolset: Toolset) -> Path:
    """Where a toolset stands."""
    return cache_root() / "toolsets" / toolset.name


def is_installed(toolset: Toolset) -> bool:
    """Whether this very version of the set was installed whole, and its programs are still here."""
    try:
        stamp = json.loads((folder(toolset) / INSTALLED).read_bytes())
    except (OSError, ValueError):
        return False
    return stamp.get("identity") == toolset.identity and not missing_programs(toolset)


def missing_programs(toolset: Toolset) -> tuple[str, ...]:
    """Debian packages of the set whose program is not on the path."""
    return tuple(package.name for package in toolset.apt if shutil.which(package.command) is None)


def steps(toolset: Toolset) -> list[str]:
    """What an installation would do, in words; nothing is done yet."""
    said = []
    missing = missing_programs(toolset)
    if missing:
        said.append("apt-get install --no-install-recommends " + " ".join(missing))
    said += [f"fetch {item.source} into {item.to}" for item in toolset.files]
    said += [f"run {script.name}: {' '.join(script.argv)}" for script in toolset.scripts]
    return said


def install(toolset: Toolset, fetch: Fetch, runner: Runner, say: Say) -> None:
    """Install a set: programs by apt (root only), pinned files, then its scripts.

    Raises `ToolMissingError` where the user may not, or a registry cannot be reached, and `ChildFailedError` with
    the log's name where a command fails.
    """
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    missing = missing_programs(toolset)
    if (missing or toolset.needs_root) and not (root and shutil.which("apt-get")):
        raise ToolMissingError(
            f"toolset {toolset.name} needs root and apt",
            expected="run as root on Debian or Ubuntu",
            hint=f"missing packages: {' '.join(missing) or 'none'}; its tests are skipped meanwhile",
        )
    where = folder(toolset)
    (where / INSTALLED).unlink(missing_ok=True)
    where.mkdir(parents=True, exist_ok=True)
    if missing:
        say("apt-get install " + " ".join(missing))
        _apt(toolset, missing, runner)
    for item in toolset.files:
        say(f"fetch {item.source}")
        target = where / item.to
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(fetch(item.source), target)
    for script in toolset.scripts:
        say(script.name)
        run(toolset, script, runner)
    replace_file(where / INSTALLED, json.dumps({"identity": toolset.identity}).encode())


def run(toolset: Toolset, script: Script, runner: Runner) -> None:
    """Run one of a set's scripts in its folder."""
    words = {"toolset": str(folder(toolset)), "host": str(toolset.host), "python": sys.executable}
    argv = tuple(word.format(**words) for word in script.argv)
    env = {key: value.format(**words) for key, value in script.env.items()}
    _checked(toolset, Command(argv, folder(toolset), env, script.timeout, script.name), runner)


def _apt(toolset: Toolset, packages: tuple[str, ...], runner: Runner) -> None:
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    install_ = ("apt-get", "install", "-y", "--no-install-recommends", *packages)
    for argv in (("apt-get", "update"), install_):
        _checked(toolset, Command(argv, None, env, 1800.0, " ".join(argv[:2])), runner)
    gone = missing_programs(toolset)
    if gone:
        raise ToolMissingError(
            f"apt installed {' '.join(packages)}, but programs of {' '.join(gone)} are still missing"
        )


def _checked(toolset: Toolset, command: Command, runner: Runner) -> None:
    log = log_root() / f"toolset-{toolset.name}.log"
    done = runner.run(command, log=log)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no output"]
        raise ChildFailedError(
            f"toolset {toolset.name}: {command.label} failed ({done.returncode}): {last[0]}", hint=f"its log: {log}"
        )


def problem(target: TargetSpec, toolset: Toolset | None) -> str:
    """Why a target's harness cannot run here, in words; empty where it can."""
    harness = target.harness
    if harness is None:
        return "the target has no harness"
    gone = [tool for tool in harness.tools if shutil.which(tool) is None]
    if toolset is not None and not is_installed(toolset):
        return f"toolset {toolset.name} is not installed: packager doctor --install {toolset.name}"
    if gone:
        return f"missing here: {', '.join(gone)}"
    if harness.needs_root and hasattr(os, "geteuid") and os.geteuid() != 0:
        return "its harness needs root here"
    return ""
