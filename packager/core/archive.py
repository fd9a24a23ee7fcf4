"""Takes one file out of an archive: zip (wheel, jar, aar) and tar, nested by `!`, never a whole tree.

The bytes go to a path of our choice, so a member's name cannot write elsewhere; sizes are bounded.
"""

from __future__ import annotations

import difflib
import lzma
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from packager.core.errors import ExitCode, PackagerError

MAX_MEMBER = 2 << 30
"""Bytes of a member."""
MAX_UNPACKED = 16 << 30
"""Bytes that are unpacked of a tar to find a member in it."""
MAX_RATIO = 200
"""Unpacked over packed size, for members beyond `SMALL`."""
SMALL = 64 << 20
"""Bytes below which a member may be packed as well as it likes."""


BROKEN_ZIP = (
    zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, OverflowError, EOFError, OSError,
    zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip
"""What `zipfile` raises for an archive that is damaged, encrypted or packed in a way it does not know."""


class FetchError(PackagerError):
    """A file of a package cannot be had; the resolver turns it into the caller's error."""

    exit_code = ExitCode.MANIFEST


def extract_nested(archive: Path, member: str, scratch: Path) -> Path:
    """Take `member` (`a.zip!b` for a member of a member) out of `archive` to a file in folder `scratch`.

    Returns the file. Raises FetchError.
    """
    for depth, part in enumerate(member.split("!")):
        inner = scratch / f"member-{depth}"
        extract_member(archive, part, inner)
        archive = inner
    return archive


def extract_member(archive: Path, member: str, to: Path) -> None:
    """Take one file out of a zip or tar archive, told by its content, to the new file `to`.

    Raises FetchError for a file that is no archive or broken, a member that is missing, too large, not a
    plain file or packed too well.
    """
    check_member_name(member)
    try:
        if is_zip(archive):
            _from_zip(archive, member, to)
        elif tarfile.is_tarfile(archive):
            _from_tar(archive, member, to)
        else:
            raise FetchError(
                f"{archive.name} is neither a zip nor a tar archive", expected=f"an archive with {member} in it"
            )
    except (*BROKEN_ZIP, tarfile.TarError) as problem:
        raise FetchError(f"the archive {archive.name} is broken: {problem}") from problem


def is_zip(path: Path) -> bool:
    """Whether a file begins as a zip archive; a tar that holds a zip ends like one. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def check_member_name(member: str) -> None:
    """Refuse a path that leaves the archive. Raises FetchError."""
    path = PurePosixPath(member)
    if not member or path.is_absolute() or ".." in path.parts or "\\" in member or "\0" in member:
        raise FetchError(
            f"the path {member!r} leaves the archive", expected="a path inside the archive, with `/` and no `..`"
        )


def missing_member(archive: str, member: str, names: Iterable[str]) -> FetchError:
    """Return the error for a member that is not there, with the nearest names."""
    names = list(names)
    near = difflib.get_close_matches(member, names, n=3, cutoff=0.5)
    base = PurePosixPath(member).name
    near = [name for name in names if PurePosixPath(name).name == base][:3] or near
    return FetchError(
        f"{archive} has no file {member}",
        expected="one of its files",
        hint=f"Did you mean {' or '.join(near)}?" if near else "List the archive to see its files.",
    )


def copy_bounded(source: IO[bytes], to: Path, size: int, name: str) -> None:
    """Copy `source` to the new file `to`. Raises FetchError for more or fewer bytes than `size`."""
    with to.open("wb") as sink:
        left = size
        while left and (data := source.read(min(left, 1 << 20))):
            sink.write(data)
            left -= len(data)
        if left or source.read(1):
            raise FetchError(f"{name} is not as long as its archive says ({size} bytes)")


def check_size(name: str, unpacked: int, packed: int | None) -> None:
    """Refuse a member that is too large or, where `packed` is known, packed too well. Raises FetchError."""
    if unpacked > MAX_MEMBER:
        raise FetchError(f"{name} is too large: {unpacked} bytes", expected=f"at most {MAX_MEMBER} bytes")
    if packed is not None and unpacked > SMALL and unpacked > packed * MAX_RATIO:
        raise FetchError(
            f"{name} unpacks from {packed} to {unpacked} bytes, as only an attack does",
            expected=f"at most {MAX_RATIO} times",
        )


def _from_zip(archive: Path, member: str, to: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        found = [info for info in file.infolist() if info.filename == member and not info.is_dir()]
        if not found:
            raise missing_member(archive.name, member, file.namelist())
        if len(found) > 1:
            raise FetchError(f"{archive.name} holds {member} {len(found)} times", expected="one file of that path")
        info = found[0]
        if info.flag_bits & 1:
            raise FetchError(f"{member} in {archive.name} is encrypted")
        check_size(member, info.file_size, info.compress_size)
        with file.open(info) as source:
            copy_bounded(source, to, info.file_size, member)


def _from_tar(archive: Path, member: str, to: Path) -> None:
    names = []
    # A plain stream: the tar is read once, in order.
    with archive.open("rb") as packed, tarfile.open(fileobj=packed, mode="r|*") as file:
        for info in file:
            name = info.name.removeprefix("./")
            if not info.isdir():
                names.append(name)
            if name == member.removeprefix("./"):
                _take_from_tar(file, info, to)
                return
            if info.offset_data + info.size > MAX_UNPACKED:
                raise FetchError(
                    f"{archive.name} unpacks to more than {MAX_UNPACKED} bytes before {member} is found",
                    expected="a smaller archive",
                )
    raise missing_member(archive.name, member, names)


def _take_from_tar(file: tarfile.TarFile, info: tarfile.TarInfo, to: Path) -> None:
    if info.issym() or info.islnk():
        raise FetchError(f"{info.name} is a link to {info.linkname}", hint=f"Name {info.linkname} instead.")
    source = file.extractfile(info)
    if source is None:
        raise FetchError(f"{info.name} is not a plain file", expected="a file")
    check_size(info.name, info.size, None)
    _need_room(to, info.size)
    copy_bounded(source, to, info.size, info.name)


def _need_room(to: Path, size: int) -> None:
    if shutil.disk_usage(to.parent).free < size:
        raise FetchError(f"no room for {size} bytes in {to.parent}", expected="more free space")
