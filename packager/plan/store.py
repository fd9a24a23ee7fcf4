"""Files that a data file names: beside it in a folder of the project, or with it in one zip archive."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Protocol

from packager.core.archive import MAX_UNPACKED, FetchError, check_member_name, check_size, copy_bounded, is_zip

LARGEST = 256 << 20
"""Bytes of a data file that are read."""


class BadNameError(Exception):
    """A file cannot be had under this name; `expected` says what would do."""

    def __init__(self, what: str, expected: str = "") -> None:
        super().__init__(what)
        self.expected = expected


class Store(Protocol):
    """Where files are found by the names in a data file."""

    def path(self, name: str) -> Path:
        """The file of a name. Raises `BadNameError`."""


class Folder:
    """Files below one folder; `base` is None where a data file has none beside it."""

    def __init__(self, base: Path | None) -> None:
        self._base = base

    def path(self, name: str) -> Path:
        """The file itself."""
        if self._base is None:
            raise BadNameError(f"a data file from a package has no `{name}` beside it", "a zip archive with both")
        root = self._base.resolve()
        try:
            found = (root / name).resolve()
            inside, there = found.is_relative_to(root), found.is_file()
        except (OSError, ValueError, RuntimeError):
            inside, there = False, False
        if not inside:
            raise BadNameError(f"the path `{name}` leaves the folder of the data file", "a path below it")
        if not there:
            raise BadNameError(f"no such file: `{name}`", "a path relative to the data file")
        return found


class Archive:
    """Members of a zip archive, taken out when they are asked for; names count from the data file's folder in it."""

    def __init__(self, archive: Path, folder: PurePosixPath, scratch: Path) -> None:
        self._archive, self._folder, self._scratch = zipfile.ZipFile(archive), folder, scratch
        self._taken: dict[str, Path] = {}
        self._bytes = 0

    def path(self, name: str) -> Path:
        """The member's bytes as a file of our own naming, with the member's suffix."""
        member = str(self._folder / name)
        if member not in self._taken:
            try:
                check_member_name(name)
                self._taken[member] = self._take(member)
            except FetchError as fault:
                raise BadNameError(str(fault), fault.findings[0].expected) from fault
        return self._taken[member]

    def _take(self, member: str) -> Path:
        try:
            info = self._archive.getinfo(member)
        except KeyError:
            raise BadNameError(f"the archive has no file `{member}`", "a path relative to the data file") from None
        check_size(member, info.file_size, info.compress_size)
        self._bytes += info.file_size
        if self._bytes > MAX_UNPACKED:
            raise BadNameError(f"the archive unpacks to more than {MAX_UNPACKED} bytes", "a smaller archive")
        self._scratch.mkdir(parents=True, exist_ok=True)
        to = self._scratch / f"{len(self._taken)}{PurePosixPath(member).suffix}"
        with self._archive.open(info) as source:
            copy_bounded(source, to, info.file_size, member)
        return to


def open_store(path: Path, base: Path | None, suffix: str, scratch: Path) -> tuple[Store, str]:
    """The store of a data file and its text. Raises `BadNameError` for what is no such file.

    `path` is the data file, or a zip archive with exactly one file that ends in `suffix` in its upper-most folder.
    """
    try:
        if is_zip(path):
            return _from_zip(path, suffix, scratch)
        if path.stat().st_size > LARGEST:
            raise BadNameError(f"it has more than {LARGEST >> 20} MiB", "a table of paths and labels")
        return Folder(base), _text(path.read_bytes())
    except (OSError, zipfile.BadZipFile, NotImplementedError) as fault:
        raise BadNameError(f"it cannot be read: {fault}", f"a {suffix} file, or a zip archive with one") from fault


def _from_zip(path: Path, suffix: str, scratch: Path) -> tuple[Store, str]:
    with zipfile.ZipFile(path) as file:
        named = [name for name in file.namelist() if name.endswith(suffix)]
        depth = min((name.count("/") for name in named), default=0)
        tables = [name for name in named if name.count("/") == depth]
        if len(tables) != 1:
            raise BadNameError(f"the archive has {len(tables)} {suffix} files where one is expected", f"one {suffix}")
        if file.getinfo(tables[0]).file_size > LARGEST:
            raise BadNameError(f"{tables[0]} has more than {LARGEST >> 20} MiB", "a table of paths and labels")
        return Archive(path, PurePosixPath(tables[0]).parent, scratch), _text(file.read(tables[0]))


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadNameError(f"it is not UTF-8: {fault.reason} at byte {fault.start}", "text in UTF-8") from fault
