"""The Debian tree that holds Swift: what is in it, and how a command runs inside.

Mounts are made in a namespace of their own, so none outlives its command and the tree can be removed at any moment.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SUITE = "trixie"
# libre2-11 provides a virtual package that libonnxruntime needs; debootstrap does not resolve those itself.
PACKAGES = ("swiftlang", "libc6-dev", "libstdc++-14-dev", "git", "ca-certificates", "libre2-11", "libonnxruntime-dev")
SWIFT = "6.0.3"
WORK = Path("/proof")
"""Where the work folder is seen inside the tree."""

_ENTER = (
    'mount -t proc proc "$1/proc" && mount --bind "$2" "$1$3" && root=$1 && shift 3 && exec chroot "$root" env -i "$@"'
)


def root(toolset: Path) -> Path:
    """Root folder of the tree in a toolset."""
    return toolset / "root"


def is_there(toolset: Path) -> bool:
    """Whether the tree has a Swift compiler (links in it are absolute, so its own path is asked for)."""
    return (root(toolset) / "usr/libexec/swift/bin/swift-frontend").is_file()


def environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a command inside."""
    plain = {
        "PATH": "/usr/bin:/bin",
        "HOME": f"{WORK}/home",
        "TMPDIR": f"{WORK}/tmp",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
    return {**plain, **(extra or {})}


def run(
    toolset: Path,
    work: Path,
    argv: list[str],
    env: dict[str, str] | None = None,
    output: int | None = None,
    cwd: str = str(WORK),
) -> subprocess.CompletedProcess[str]:
    """Run a command inside the tree, in folder `cwd`, with `work` at `/proof`; `output` PIPE returns its stdout.

    Raises `SystemExit` in words where the tree is missing or this user may not mount.
    """
    tree = root(toolset)
    if not is_there(toolset):
        raise SystemExit("the Swift tree is not installed: packager doctor --install swift")
    if os.geteuid() != 0:
        raise SystemExit("the Swift tree needs root: it is entered by chroot")
    for folder in (tree / WORK.relative_to("/"), work / "home", work / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    pairs = [f"{key}={value}" for key, value in environment(env).items()]
    enter = ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(tree), str(work), str(WORK)]
    return subprocess.run(
        [*enter, f"--chdir={cwd}", *pairs, *argv], check=False, stdout=output, text=True, errors="replace"
    )
