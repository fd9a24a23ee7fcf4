"""Installs the toolset `swift`: `install.py --toolset FOLDER`. Run as root; it needs `debootstrap` and `unshare`.

The Debian mirror is the one that this machine's own apt uses. The packages are checked by apt's keyring. What the
proof does not need (debugger, language server, documentation, static library) is left out afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import tree

UNUSED = (
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt/archives",
    "var/lib/apt/lists",
)
UNUSED_SWIFT = (
    "bin/clangd",
    "bin/docc",
    "bin/lldb*",
    "bin/sourcekit-lsp",
    "bin/swift-help",
    "lib/liblldb*",
    "lib/libsourcekitdInProc*",
    "lib/swift_static",
)
KEYRINGS = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")


def main() -> None:
    """Build the tree beside its place, check it, and put it there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toolset", type=Path, required=True)
    toolset: Path = parser.parse_args().toolset
    if os.geteuid() != 0:
        sys.exit("the Swift tree needs root: debootstrap and chroot do")
    place = tree.root(toolset)
    if not _works(toolset):
        building = toolset / "root.new"
        shutil.rmtree(building, ignore_errors=True)
        _bootstrap(building)
        _remove_unused(building)
        shutil.rmtree(place, ignore_errors=True)
        building.rename(place)
        if not _works(toolset):
            sys.exit(f"the tree was built, but Swift {tree.SWIFT} does not run in it")
    sys.stdout.write(f"Swift {tree.SWIFT} in a Debian {tree.SUITE} tree\n")


def mirror() -> str:
    """The first Debian archive among the sources of this machine's apt."""
    names = "$(REPO_URI)\t$(ORIGIN)\t$(LABEL)"
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", names, "Created-By: Packages"],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    for line in listed.splitlines():
        uri, origin, label = line.split("\t")
        if origin == label == "Debian" and not uri.startswith(("cdrom:", "file:")):
            return uri
    sys.exit("apt knows no Debian archive here (run `apt-get update` first)")


def _bootstrap(target: Path) -> None:
    keyring = next((p for p in (Path("/usr/share/keyrings") / k for k in KEYRINGS) if p.is_file()), None)
    if keyring is None:
        sys.exit("Debian's archive keyring is missing: apt-get install debian-archive-keyring")
    target.mkdir(parents=True)
    include = ",".join(tree.PACKAGES)
    argv = ["debootstrap", "--variant=minbase", f"--keyring={keyring}", f"--include={include}", tree.SUITE]
    done = subprocess.run([*argv, str(target), mirror()], check=False, env={**os.environ, **_proxy()})
    if done.returncode != 0:
        log = target / "debootstrap/debootstrap.log"
        tail = log.read_text("utf-8", "replace").splitlines()[-3:] if log.is_file() else []
        sys.exit(f"debootstrap failed ({done.returncode}): {' / '.join(tail)}")


def _proxy() -> dict[str, str]:
    """Apt's proxy, which debootstrap's own downloads do not know."""
    said = subprocess.run(
        ["apt-config", "shell", "PROXY", "Acquire::http::Proxy"], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    return {"http_proxy": said.removeprefix("PROXY=").strip("'")} if said else {}


def _remove_unused(root: Path) -> None:
    for name in UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)
    for pattern in UNUSED_SWIFT:
        for path in (root / "usr/libexec/swift").glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _works(toolset: Path) -> bool:
    """Whether the tree's Swift runs and is the version wanted."""
    if not tree.is_there(toolset):
        return False
    work = toolset / "check"
    work.mkdir(exist_ok=True)
    argv = ["swift", "package", "--version"]
    info = tree.run(toolset, work, ["swiftc", "-print-target-info"], output=subprocess.PIPE)
    package = tree.run(toolset, work, argv, output=subprocess.PIPE)
    audit = tree.run(toolset, work, ["dpkg", "--audit"], output=subprocess.PIPE)
    shutil.rmtree(work)
    if info.returncode != 0 or package.returncode != 0 or audit.stdout.strip():
        return False
    version = json.loads(info.stdout)["compilerVersion"]
    return f"Swift version {tree.SWIFT} " in version and tree.SWIFT.rpartition(".")[0] in package.stdout


if __name__ == "__main__":
    main()
