"""Addresses: paths that stay inside the project, globs, and files of registry packages."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from packager.core.findings import one_of, suggest
from packager.manifest.complaints import state
from packager.manifest.nodes import Mapping, Node, Scalar, Sequence
from packager.manifest.reader import Reader
from packager.model.address import Address, PackageFile

EXPECTED = "a path relative to the manifest, or `{package: ..., file: ..., sha256: ...}`"


def read_address(reader: Reader, node: Node, *, must_exist: bool = True) -> Address | None:
    """One address. A path has to stay inside the manifest's folder and, if `must_exist`, name a file there."""
    if isinstance(node, Mapping):
        return _package_file(reader, node)
    if not isinstance(node, Scalar) or node.value is None or not node.text.strip():
        hint = "give one address here" if isinstance(node, Sequence) else ""
        reader.fault(node, f"{_what(node)} {state(node)}", EXPECTED, hint)
        return None
    if not check_path(reader, node, node.text, must_exist=must_exist):
        return None
    return node.text


def check_path(reader: Reader, node: Node, text: str, *, must_exist: bool = True) -> bool:
    """Whether a path has the right form, stays inside the project and (if asked) exists; otherwise a finding."""
    if scheme := re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", text):
        hint = "use a path, or a file of a registry package"
        reader.fault(node, f"addresses by `{scheme[1].lower()}` are not in this version", EXPECTED, hint)
        return False
    if re.match(r"[a-z]+:\S+==", text):
        hint = 'write it as a mapping: `{package: "' + text[:60] + '", file: ..., sha256: ...}`'
        reader.fault(node, "a package without file and sha256", EXPECTED, hint)
        return False
    if "\\" in text:
        reader.fault(node, f"the path `{text}` has a backslash", "`/` between folders", "write `/` for each `\\`")
        return False
    if not _stays(reader.base, text):
        what = f"the path `{text}` leaves the manifest's folder"
        reader.fault(node, what, "a path below the folder of the manifest", "copy or move the file there")
        return False
    if must_exist and not _exists(reader.base / text):
        reader.fault(node, f"no such file: `{text}`", "an existing file", _near_file(reader.base, text))
        return False
    return True


def read_files(reader: Reader, node: Node) -> tuple[Address, ...] | None:
    """An address, a glob, or a list of both, as addresses; files of a glob are sorted by name."""
    if not isinstance(node, Sequence):
        return _one_or_glob(reader, node)
    if not node.items:
        reader.fault(node, f"{_what(node)} is an empty list", "at least one file")
        return None
    found = [_one_or_glob(reader, item) for item in node.items]
    if any(files is None for files in found):
        return None
    return tuple(dict.fromkeys(address for files in found if files for address in files))


def _one_or_glob(reader: Reader, node: Node) -> tuple[Address, ...] | None:
    text = node.text if isinstance(node, Scalar) and isinstance(node.value, str) else ""
    if not any(character in text for character in "*?[") or _exists(reader.base / text):
        address = read_address(reader, node)
        return None if address is None else (address,)
    if not check_path(reader, node, text, must_exist=False):
        return None
    files = [name.replace("\\", "/") for name in glob.glob(text, root_dir=reader.base, recursive=True)]  # noqa: PTH207 - Path.glob refuses some patterns by exceptions
    inside = sorted(name for name in files if (reader.base / name).is_file() and _stays(reader.base, name))
    if not inside:
        reader.fault(node, f"no file matches `{text}`", "at least one file", "globs count from the manifest's folder")
        return None
    return tuple(inside)


def _package_file(reader: Reader, node: Mapping) -> PackageFile | None:
    address = reader.part(node, PackageFile)
    if address is None:
        return None
    if address.registry not in reader.catalog.package_registries:
        names = list(reader.catalog.package_registries)
        at = node.entries["package"]
        what = f"unknown package registry `{address.registry}`"
        reader.fault(at, what, one_of(names), suggest(address.registry, names))
        return None
    return address


def _stays(base: Path, text: str) -> bool:
    """Whether a path is relative and ends below the base, links followed."""
    if text.startswith(("/", "~")) or re.match("[A-Za-z]:", text):
        return False
    try:
        root = base.resolve()
        return (root / text).resolve().is_relative_to(root)
    except (OSError, RuntimeError, ValueError):
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _near_file(base: Path, text: str) -> str:
    """The nearest name in the folder that the path names, if that exists."""
    wanted = base / text
    try:
        folder = Path(text).parent
        names = sorted((folder / entry.name).as_posix() for entry in wanted.parent.iterdir())
    except OSError:
        return f"the folder `{Path(text).parent.as_posix()}` does not exist"
    return suggest(text, names)


def _what(node: Node) -> str:
    return f"the address of `{node.name}`" if not node.name.isdecimal() else "an address"
