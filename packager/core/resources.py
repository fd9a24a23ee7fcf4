"""What this machine has: free memory, what a process group uses, the class of the processor."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

if sys.platform != "win32":
    import resource

_PROC = Path("/proc")
_UNKNOWN_MEMORY = 4 << 30

# The micro-architecture levels of the x86-64 psABI, by the names of the kernel's flags.
_X86_LEVELS = (
    ("x86-64-v2", {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    ("x86-64-v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)
# Beyond the levels: instructions that float and integer kernels are chosen by.
_EXTRAS = (
    "fma4", "avx_vnni", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_int8", "amx_bf16",
    "asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme",
)  # fmt: skip


def available_memory() -> int:
    """Return the bytes that may still be used, of the machine or of this process's control group."""
    found = []
    with suppress(OSError, ValueError, StopIteration):
        lines = (_PROC / "meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        found.append(int(line.split()[1]) * 1024)
    for limit, used in _cgroup_files():
        with suppress(OSError, ValueError):
            found.append(max(0, int(limit.read_text()) - int(used.read_text())))
    return min(found, default=_UNKNOWN_MEMORY)


def _cgroup_files() -> list[tuple[Path, Path]]:
    root = Path("/sys/fs/cgroup")
    return [
        (root / "memory.max", root / "memory.current"),
        (root / "memory" / "memory.limit_in_bytes", root / "memory" / "memory.usage_in_bytes"),
    ]


def process_memory(group: int) -> int:
    """Return the resident bytes of all processes of a process group; 0 where the system does not tell."""
    total = 0
    with suppress(OSError):
        for folder in _PROC.iterdir():
            if folder.name.isdigit():
                total += _resident(folder, group)
    return total


def _resident(folder: Path, group: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        # The name in parentheses may hold spaces; the fields after it are state, parent, group, ...
        fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
        if int(fields[2]) == group:
            return int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    return 0


def peak_memory() -> int:
    """Return the largest resident size of this process so far, in bytes; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@cache
def cpu_class() -> str:
    """Return what float kernels are chosen by: architecture, level and further SIMD sets.

    For example `x86-64-v3+avx_vnni`. Two machines of one class give the same converted bytes.
    """
    machine = platform.machine().lower()
    flags = _cpu_flags()
    name = {"amd64": "x86-64", "x86_64": "x86-64", "arm64": "aarch64"}.get(machine, machine)
    if name == "x86-64":
        for level, needed in _X86_LEVELS:
            if not needed <= flags:
                break
            name = level
    return "+".join([name, *(extra for extra in _EXTRAS if extra in flags)])


def _cpu_flags() -> set[str]:
    with suppress(OSError):
        for line in (_PROC / "cpuinfo").read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in {"flags", "Features"}:
                return set(value.split())
    return set()
