"""The Debian archive that this machine is set up for, through `apt-get download` and `dpkg-deb`."""

from __future__ import annotations

from pathlib import Path

from packager.core.archive import FetchError, extract_nested
from packager.core.process import Command, Runner, require_tool
from packager.core.registry_client import TIME_LIMIT, check_name, complaint, download

NAME = "debian"

_NAME = r"[a-z0-9][a-z0-9+.-]+"
_VERSION = r"[0-9][A-Za-z0-9.+:~-]*"
_HINT = "It works on Debian and its relatives."


def fetch(package: str, version: str, archive: str | None, to: Path, runner: Runner) -> Path:
    """Download a package into the folder `to`; `archive` (name_version_arch.deb) chooses the architecture.

    Raises FetchError.
    """
    check_name("package name", package, _NAME)
    check_name("version", version, _VERSION)
    apt = require_tool("apt-get", _HINT)
    command = Command(
        (str(apt), "--quiet", "download", f"{package}{_architecture(archive)}={version}"),
        cwd=to,
        env={"LC_ALL": "C.UTF-8"},
        timeout=TIME_LIMIT,
        label="apt-get download",
    )
    return download(
        command,
        title=f"debian:{package}=={version}",
        archive=archive,
        to=to,
        runner=runner,
        hint="Run `apt-get update`, and see the versions that there are: `apt-cache policy`.",
    )


def extract(archive: Path, member: str, scratch: Path, runner: Runner) -> Path:
    """Take a member out of a package by the path it is installed at, without the first `/`."""
    dpkg = require_tool("dpkg-deb", _HINT)
    tar = scratch / archive.name  # messages name the package
    done = runner.run(
        Command((str(dpkg), "--fsys-tarfile", str(archive)), stdout=tar, timeout=TIME_LIMIT, label="dpkg-deb")
    )
    if done.returncode != 0:
        raise FetchError(f"{archive.name} is broken: {complaint(done.stderr)}", expected="a Debian package")
    return extract_nested(tar, member, scratch)


def _architecture(archive: str | None) -> str:
    if archive is None:
        return ""
    parts = archive.removesuffix(".deb").split("_")
    if not archive.endswith(".deb") or len(parts) != 3:
        raise FetchError(f"{archive!r} is not the file name of a package", expected="name_version_arch.deb")
    check_name("architecture", parts[2], r"[a-z0-9-]+")
    return "" if parts[2] == "all" else f":{parts[2]}"
