"""Bytes of code of each C++ step for a Cortex-M4F: not a time, but what a firmware engineer asks first.

    python tests/bench/code_bench.py

One call of each native function is compiled with `-Os` and without inlining, so that each function stands for itself;
the sizes of the contract's own functions in that object are added up. What a step takes from the C library (`memcpy`,
`expf`) and its constants (tables, labels) are not in it; functions that several steps share count in each row.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "contract" / "vectors"))

from cpp_driver import driver, native_folders
from step_cases import Case, cases
from step_vectors import write_input

GROUPS = ("core", "image", "detect", "camera", "signal", "series")
CORE = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
FLAGS = ["-std=c++17", "-Os", "-fno-inline", "-ffp-contract=off", "-fno-exceptions", "-fno-rtti"]
COMPILER, NM = "arm-none-eabi-g++", "arm-none-eabi-nm"


def chosen() -> dict[str, Case]:
    """The first case of each native function, by the function's name."""
    found: dict[str, Case] = {}
    for group in GROUPS:
        for case in cases(group):
            found.setdefault(case.call.function, case)
    return found


def size(case: Case, folder: Path) -> int:
    """Bytes of the contract's functions that the case's call needs."""
    (folder / "one.cpp").write_text(driver(write_input([case], folder / "input.bin")), "utf-8")
    includes = [f"-I{include}" for include in native_folders()]
    command = [COMPILER, *CORE, *FLAGS, "-Dmain=driver_main", *includes, "-c", "one.cpp", "-o", "one.o"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    listed = subprocess.run([NM, "-S", "-C", "one.o"], cwd=folder, check=True, capture_output=True, text=True).stdout
    total = 0
    for line in listed.splitlines():
        parts = line.split(maxsplit=3)
        own = len(parts) == 4 and parts[2] in "tTwWuV" and "packager_contract::" in parts[3]
        if own and not parts[3].startswith(("emit", "void run<", "run<", "driver_main")):
            total += int(parts[1], 16)
    return total


def main() -> list[dict[str, Any]]:
    """One row for each native function."""
    if shutil.which(COMPILER) is None:
        return [{"what": "code for Cortex-M4F", "skipped": f"{COMPILER} is not installed: doctor --install cpp-cross"}]
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        for function, case in sorted(chosen().items()):
            step = case.steps[-1]
            what = step if step == function else f"{step}: {function}"
            rows.append({"what": what, "value": size(case, Path(name)), "unit": "bytes"})
    return sorted(rows, key=lambda row: str(row["what"]))


if __name__ == "__main__":
    for row in main():
        sys.stdout.write(json.dumps(row) + "\n")
