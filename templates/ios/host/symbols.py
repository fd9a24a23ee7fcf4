"""Which platform symbols Swift sources use, as the compiler resolved them, and whether each is on the list.

The list is `doubles.toml`: under `module`, a table for each, with every symbol's documentation page and first iOS.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import tree

LANGUAGE = ("Swift", "_Concurrency", "_StringProcessing", "Builtin", "SwiftShims", "Testing", "SwiftGlibc")
"""The language itself, its test library and the C library: not platform symbols."""
PLUGINS = "/usr/libexec/swift/lib/swift/host/plugins/testing"
_FILE = re.compile(r'^\(source_file "([^"]+)"')
_DECLARATION = re.compile(r'\b(?:decl|bind)="(\w+)\.\(file\)\.([^"@]+)')
_EXTENSION = re.compile(r"(\w+) extension(?=\.)")


def collect(
    toolset: Path,
    work: Path,
    options: list[str],
    files: list[str],
    made: list[str],
    own: tuple[str, ...],
    found: dict[str, set[str]],
) -> None:
    """Add `module.symbol` -> files that use it. `made` files are compiled with the others but not looked into;
    `own` modules are the project's.

    Ends the process where the compiler does not accept the sources.
    """
    argv = ["swiftc", "-dump-ast", "-parse-as-library", "-plugin-path", PLUGINS, *options, *files, *made]
    text = work / "ast.txt"
    command = ["sh", "-c", f'exec "$@" >{tree.WORK}/{text.name} 2>&1', "sh", *argv]
    done = tree.run(toolset, work, command)
    lines = text.read_text("utf-8", "replace").splitlines()
    if done.returncode != 0:
        errors = [line for line in lines if ": error: " in line]
        raise SystemExit("\n".join(errors[:5]) or f"swiftc -dump-ast: exit code {done.returncode}")
    current = ""
    for line in lines:
        header = _FILE.match(line)
        if header:
            current = header.group(1)
        if current in files:
            for module, name in _DECLARATION.findall(line):
                if module not in LANGUAGE and module not in own:
                    found.setdefault(symbol(module, name), set()).add(Path(current).name)


def symbol(module: str, name: str) -> str:
    """`FoundationEssentials`, `URL extension.path [with ...]` -> `Foundation.URL.path`."""
    plain = _EXTENSION.sub(r"\1", name).partition(" [with")[0].strip()
    return f"{'Foundation' if module.startswith('Foundation') else module}.{plain}"


def read_list(file: Path) -> Mapping[str, Mapping[str, str]]:
    """`module.symbol` -> {page, ios}."""
    tables = tomllib.loads(file.read_text("utf-8"))["module"]
    return {f"{module}.{name}": row for module, table in tables.items() for name, row in table.items()}


def minimum_ios(package: Path) -> str:
    """The package's oldest iOS, from `Package.swift`."""
    found = re.search(r'\.iOS\("([0-9.]+)"\)', package.read_text("utf-8"))
    if found is None:
        raise SystemExit(f"{package.name} names no oldest iOS")
    return found.group(1)


def judge(found: Mapping[str, set[str]], listed: Mapping[str, Mapping[str, str]], minimum: str) -> list[str]:
    """What is wrong, one line each: symbols that are not listed, and those newer than the package's oldest iOS."""
    problems = []
    for name, files in sorted(found.items()):
        where = ", ".join(sorted(files))
        if name not in listed:
            problems.append(f"{where}: {name} is not on the list of platform symbols (doubles.toml)")
        elif _version(listed[name]["ios"]) > _version(minimum):
            problems.append(f"{where}: {name} needs iOS {listed[name]['ios']}, the package supports {minimum}")
    return problems


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
