"""The C++ steps on other processors: 64-bit ARM Linux and Cortex-M, both emulated, give the same bytes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from cpp_driver import driver, native_folders
from proof import PART, part, proved
from step_cases import GROUPS, Case, cases
from step_vectors import compare, write_input

pytestmark = pytest.mark.native

HERE = Path(__file__).parent / "cortex_m"
EXACT = ["-std=c++17", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
CORES = {
    "m3": ("mps2-an385", ["-mcpu=cortex-m3", "-mfloat-abi=soft"]),
    "m4f": ("mps2-an386", ["-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]),
    "m7": ("mps2-an500", ["-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-d16"]),
}


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: packager doctor --install cpp-cross")
    return found


def run(argv: Sequence[str], folder: Path) -> None:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"


def includes() -> list[str]:
    return [f"-I{folder}" for folder in native_folders()]


def prepare(chosen: Sequence[Case], folder: Path) -> None:
    packed = write_input(chosen, folder / "input.bin")
    (folder / "driver.cpp").write_text(driver(packed), "utf-8")


def check(chosen: Sequence[Case], folder: Path, name: str, group: str) -> None:
    rows = compare(chosen, folder / "output.bin")
    failed = [f"{row.id}: {row.detail}" for row in rows if not row.passed]
    assert not failed, "\n".join(failed[:20])
    proved("cpp", name, group, chosen, rows)
    worst = max(rows, key=lambda row: row.worst)
    print(f"{name} {group}: {len(rows)} cases, worst float error {worst.worst:.3g} ({worst.id})")


@pytest.mark.parametrize("group", GROUPS)
def test_aarch64_gives_the_same(group: str, tmp_path: Path) -> None:
    """A processor with fused multiply-add, vectors of its own and another way to multiply; nothing is left out."""
    chosen = cases(group)
    prepare(chosen, tmp_path)
    level = "-O3" if group in ("core", "camera") else "-O1"
    compiler = [
        tool("aarch64-linux-gnu-g++"),
        *EXACT,
        level,
        "-static",
        *includes(),
        "driver.cpp",
        "-o",
        "driver",
        "-lm",
    ]
    run(compiler, tmp_path)
    run([tool("qemu-aarch64-static"), "./driver", "input.bin", "output.bin"], tmp_path)
    check(chosen, tmp_path, f"aarch64 {level}, qemu-user", group)
    assert len(chosen) > 20


@pytest.mark.parametrize("core", sorted(CORES))
def test_cortex_m_gives_the_same(core: str, tmp_path: Path) -> None:
    """Newlib instead of glibc, 32-bit sizes, floats in software or hardware."""
    machine, flags = CORES[core]
    emulator = tool("qemu-system-arm")
    chosen = part()
    prepare(chosen, tmp_path)
    common = [tool("arm-none-eabi-g++"), *EXACT, *flags, "-mthumb", "-O2", "-fno-exceptions", "-fno-rtti"]
    common += ["-fno-threadsafe-statics", "-ffunction-sections", "-nostdinc++"]
    run([*common, "-Dmain=driver_main", *includes(), "-c", "driver.cpp", "-o", "driver.o"], tmp_path)
    run([*common, "-c", str(HERE / "startup.cpp"), "-o", "startup.o"], tmp_path)
    link = [tool("arm-none-eabi-gcc"), *flags, "-mthumb", "-specs=rdimon.specs", "-nostartfiles", "-Wl,--gc-sections"]
    run([*link, "-T", str(HERE / "mps2.ld"), "startup.o", "driver.o", "-lm", "-o", "driver.elf"], tmp_path)
    board = ["-M", machine, "-nographic", "-monitor", "none", "-serial", "none"]
    board += ["-semihosting-config", "enable=on,target=native", "-kernel", "driver.elf"]
    run(["timeout", "120", emulator, *board], tmp_path)
    check(chosen, tmp_path, f"Cortex-{core.upper()} -O2, QEMU", PART)
    assert len(chosen) > 100
