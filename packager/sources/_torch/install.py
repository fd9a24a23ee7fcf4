"""Installs the toolset `torch`: `install.py --toolset FOLDER`. Any user may run it; it needs apt-get and dpkg-deb.

Debian packages are fetched from the mirror that this machine's own apt uses, checked by Debian's archive keyring, and
unpacked into the folder. Their Python is started by their own loader with their own libraries, so the system's do not
matter. `python` in the folder is the program that starts it.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

SUITE = "trixie"
PACKAGE = "python3-torch"
TORCH = "2.6.0"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
UNUSED = ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/libexec/libtorch-test", "var", "etc")
_NEEDED = "Debian or one of its relatives, with apt-get, dpkg-deb and Debian's archive keyring"


def main() -> None:
    """Build the tree beside its place, check it, and put it there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toolset", type=Path, required=True)
    toolset: Path = parser.parse_args().toolset.absolute()
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and KEYRING.is_file()):
        sys.exit(f"the toolset needs {_NEEDED}")
    if not works(toolset):
        building, fetched = toolset / "root.new", toolset / "apt"
        for folder in (building, fetched):
            shutil.rmtree(folder, ignore_errors=True)
        unpack(fetch(fetched), building)
        shutil.rmtree(fetched)
        shutil.rmtree(toolset / "root", ignore_errors=True)
        building.rename(toolset / "root")
        write_launcher(toolset)
        if not works(toolset):
            sys.exit(f"the tree was built, but torch {TORCH} does not start in it")
    sys.stdout.write(f"torch {TORCH} of Debian {SUITE}\n")


def mirror() -> str:
    """The first Debian archive among the sources of this machine's apt."""
    names = "$(REPO_URI)\t$(ORIGIN)\t$(LABEL)"
    argv = ["apt-get", "indextargets", "--format", names, "Created-By: Packages"]
    listed = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in listed.splitlines():
        uri, origin, label = line.split("\t")
        if origin == label == "Debian" and not uri.startswith(("cdrom:", "file:")):
            return uri
    sys.exit("apt knows no Debian archive here (run `apt-get update` first)")


def fetch(folder: Path) -> list[Path]:
    """Download the package and all that it depends on, with an apt whose state is `folder` alone."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    (folder / "state/status").touch()
    source = folder / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING}] {mirror()} {SUITE} main\n", "utf-8")
    settings = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state/status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": source,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
    }
    conf = folder / "apt.conf"
    conf.write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()), "utf-8")
    env = {**os.environ, "APT_CONFIG": str(conf)}
    for argv in (["update"], ["install", "--yes", "--download-only", f"{PACKAGE}={TORCH}*"]):
        if subprocess.run(["apt-get", "--quiet", *argv], check=False, env=env).returncode != 0:
            sys.exit(f"apt-get {' '.join(argv)} failed for Debian {SUITE}")
    return sorted((folder / "cache/archives").glob("*.deb"))


def unpack(packages: list[Path], root: Path) -> None:
    """Unpack without running any of the packages' scripts, and leave out what is not needed."""
    root.mkdir(parents=True)
    for package in packages:
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    for name in UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)


def write_launcher(toolset: Path) -> None:
    """A program that starts the tree's Python by the tree's own loader."""
    root = toolset / "root"
    loader = next(iter(sorted(root.glob("usr/lib*/ld-linux*.so.*"))))
    shared = next(iter(sorted((root / "usr/lib").glob("*-linux-gnu*"))))
    python = next(iter(sorted((root / "usr/bin").glob("python3.*[0-9]"))))
    # Where an alternative's link would stand, which only a package's script makes; and for libgloo, which lies in
    # neither, the plain folder.
    places = ":".join([*(str(shared / name) for name in ("", "blas", "lapack", "openmpi/lib")), str(root / "usr/lib")])
    settings = {"PYTHONHOME": root / "usr", "PYTHONPATH": root / "usr/lib/python3/dist-packages"}
    words = ["env", "-u", "LD_LIBRARY_PATH", "-u", "LD_PRELOAD", *(f"{key}={value}" for key, value in settings.items())]
    words += [str(loader), "--library-path", places, str(python)]
    launcher = toolset / "python"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8")
    launcher.chmod(0o755)


CHECK = "import torch, torch.export, torch.onnx.utils; torch.ones(2) @ torch.ones(2); print(torch.__version__)"


def works(toolset: Path) -> bool:
    """Whether the tree's torch starts and is the version wanted.

    What is imported is compiled on the way, as the packages' own scripts would have done: later starts take a third.
    """
    launcher = toolset / "python"
    if not launcher.is_file():
        return False
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    argv = [str(launcher), "-c", CHECK]
    done = subprocess.run(argv, check=False, stdout=subprocess.PIPE, text=True, errors="replace", env=env)
    return done.returncode == 0 and done.stdout.startswith(TORCH)


if __name__ == "__main__":
    main()
