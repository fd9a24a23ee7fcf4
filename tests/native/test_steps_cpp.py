"""The C++ steps against the vectors: two compilers, all optimisation levels, sanitizers, freestanding, contraction."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from cpp_driver import driver, native_folders
from proof import proved
from step_cases import GROUPS, cases
from step_vectors import Packed, compare, write_input

pytestmark = pytest.mark.native

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
EXACT = ["-std=c++17", "-ffp-contract=off"]
SANITIZERS = {
    "g++": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g"],
    "clang++": ["-fsanitize=undefined", "-fsanitize-trap=undefined"],
}
"""clang's run-time library is a package of its own; traps need none."""
SANITIZED = {"g++": "address and undefined sanitizers", "clang++": "undefined sanitizer"}
Vectors = tuple[str, list[Packed], Path]
"""A group, its cases, and the folder of their files."""
MATH = {
    "fabs",
    "fabsf",
    "sin",
    "cos",
    "log10",
    "exp",
    "log",
    "log1p",
    "sqrt",
    "ceil",
    "floor",
    "trunc",
    "truncf",
    "floorf",
    "ceilf",
}
LIBC = {"memcpy", "memset", "memmove", *MATH}


def compiler(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: packager doctor --install cpp-cross")
    return found


def includes() -> list[str]:
    return [f"-I{folder}" for folder in native_folders()]


def run(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout}{done.stderr}"
    return done.stdout


LEVELS = ("-O0", "-O1", "-O2", "-O3")
FEW = (("g++", "-O0"), ("clang++", "-O1"), ("clang++", "-O2"), ("g++", "-O3"))
EVERY = "PACKAGER_EVERY_BUILD" in os.environ
"""Set by `make matrix`: both compilers at all levels for all groups; else for `core` only."""
BUILDS = [
    (group, name, level)
    for group in GROUPS
    for name in ("g++", "clang++")
    for level in LEVELS
    if EVERY or group == "core" or (name, level) in FEW
]


@pytest.fixture(scope="module", params=GROUPS)
def vectors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Vectors:
    """Cases of one group, their `input.bin` and `driver.cpp` in a folder."""
    folder = tmp_path_factory.mktemp(request.param)
    packed = write_input(cases(request.param), folder / "input.bin")
    (folder / "driver.cpp").write_text(driver(packed), "utf-8")
    return request.param, packed, folder


def check(vectors: Vectors, name: str, flags: list[str], build: str) -> None:
    """Compiles, runs, compares."""
    group, packed, folder = vectors
    program, output = folder / "driver", folder / "output.bin"
    run([compiler(name), *EXACT, *WARNINGS, *flags, *includes(), str(folder / "driver.cpp"), "-o", str(program), "-lm"])
    run([str(program), str(folder / "input.bin"), str(output)])
    rows = compare([item.case for item in packed], output)
    failed = [f"{row.id}: {row.detail}" for row in rows if not row.passed]
    assert not failed, "\n".join(failed[:20])
    assert len(rows) == len(packed) > 20
    proved("cpp", build, group, [item.case for item in packed], rows)
    worst = max(rows, key=lambda row: row.worst)
    print(f"{build} {group}: {len(rows)} cases, worst float error {worst.worst:.3g} ({worst.id})")


@pytest.mark.parametrize(("vectors", "name", "level"), BUILDS, indirect=["vectors"])
def test_equal_to_the_reference(vectors: Vectors, name: str, level: str) -> None:
    check(vectors, name, [level], f"{name} {level}")


@pytest.mark.parametrize("name", ["g++", "clang++"])
def test_sanitizers_find_nothing(vectors: Vectors, name: str) -> None:
    check(vectors, name, ["-O1", *SANITIZERS[name]], f"{name} -O1, {SANITIZED[name]}")


@pytest.mark.parametrize("name", ["g++", "clang++"])
def test_needs_no_cpp_library_and_no_allocation(tmp_path: Path, name: str) -> None:
    """Compiles every step freestanding without C++ headers, and links nothing but string and math functions."""
    headers = sorted(header for folder in native_folders() for header in folder.glob("*.hpp"))
    lines = [f'#include "{header.name}"' for header in headers]
    lines += [f"void* f{i} = reinterpret_cast<void*>(&packager_contract::{f});" for i, f in enumerate(functions())]
    source = tmp_path / "steps.cpp"
    source.write_text("\n".join(lines) + "\n", "utf-8")
    flags = ["-O2", "-ffreestanding", "-nostdinc++", "-fno-exceptions", "-fno-rtti", "-c"]
    run([compiler(name), *EXACT, *WARNINGS, *flags, *includes(), str(source), "-o", str(tmp_path / "steps.o")])
    symbols = run(["nm", "-u", str(tmp_path / "steps.o")]).split()
    needed = {s for s in symbols if s not in ("U", "w", "_GLOBAL_OFFSET_TABLE_")}
    assert needed <= LIBC, needed - LIBC


def functions() -> list[str]:
    """Native functions that the cases call."""
    return sorted({case.call.function for group in GROUPS for case in cases(group)})


@pytest.mark.parametrize("name", ["g++", "clang++"])
def test_the_probe_finds_contraction(tmp_path: Path, name: str) -> None:
    """Built as the project is, the probe passes; with fused multiply-add, or fast math, it does not."""
    if "fma" not in Path("/proc/cpuinfo").read_text("utf-8"):
        pytest.skip("this processor has no fused multiply-add")
    source = tmp_path / "probe.cpp"
    text = '#include "contraction_probe.hpp"\nint main() { return packager_contract::contraction_is_off() ? 0 : 1; }\n'
    source.write_text(text, "utf-8")
    for flags, status in ((["-ffp-contract=off", "-mfma"], 0), (["-ffp-contract=fast", "-mfma"], 1)):
        run([compiler(name), "-std=c++17", "-O2", *flags, *includes(), str(source), "-o", str(tmp_path / "probe")])
        assert subprocess.run([str(tmp_path / "probe")], check=False).returncode == status
    fast = [compiler(name), "-std=c++17", "-ffast-math", *includes(), "-c", str(source), "-o", str(tmp_path / "fast.o")]
    done = subprocess.run(fast, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "-ffast-math" in done.stderr
