"""PyTorch's files as archives: which kind one is, and what can be told of it without torch."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from packager.core.archive import BROKEN_ZIP, FetchError, check_size, is_zip
from packager.core.errors import ModelError
from packager.sources._torch.pickles import refuse_code

MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""A pickle of PyTorch's magic number, with which files that are no zip archive begin."""

_PICKLES = 5  # magic number, protocol, system, objects, names of storages
_OPERATOR = re.compile(r"\bops\.(\w+)\.(\w+)")
_PLAIN = {"aten", "prim", "prims"}
_MOST_CODE = 32 << 20


def kind(path: Path) -> str | None:
    """`torchscript`, `export`, `weights`, `pickle` (of anything), or None for other files. Raises OSError."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
    if head == MAGIC:
        return "weights"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    if not is_zip(path):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            return _kind_of(archive.namelist())
    except BROKEN_ZIP:
        return None


def _kind_of(names: list[str]) -> str | None:
    bases = {PurePosixPath(name).name for name in names}
    if "serialized_exported_program.json" in bases or ("archive_format" in bases and "model.json" in bases):
        return "export"
    inner = {name.partition("/")[2] for name in names}
    if "data.pkl" not in inner:
        return None
    script = "constants.pkl" in inner and any(name.startswith("code/") for name in inner)
    return "torchscript" if script else "weights"


def refuse(path: Path) -> None:
    """Refuse encrypted, over-packed and broken archives, pickles with code, and custom operators.

    Raises ModelError.
    """
    with path.open("rb") as file:
        head = file.read(len(MAGIC))
        if head == MAGIC:
            file.seek(0)
            refuse_code(file, path.name, "its objects", _PICKLES)
            return
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_twice(archive.namelist(), path.name)
            for info in archive.infolist():
                _refuse_member(archive, info, path.name)
    except FetchError as fault:
        raise ModelError(f"{path.name}: {fault}", hint="make the file anew with torch") from fault
    except BROKEN_ZIP as fault:
        raise ModelError(
            f"{path.name} is a broken archive ({fault})", expected="a whole file", hint="copy the file again"
        ) from fault


def _refuse_twice(names: list[str], name: str) -> None:
    """Two readers may take two different members of one name: the one that was looked at, and another."""
    counts = Counter(each.lower() for each in names)
    twice = next((each for each in names if counts[each.lower()] > 1), None)
    if twice is not None:
        raise ModelError(f"{name} holds {twice} twice, as only an attack does", expected="each member once")


def _refuse_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & 1:
        raise ModelError(f"{info.filename} in {name} is encrypted", hint="decrypt the file before it is packaged")
    check_size(info.filename, info.file_size, info.compress_size)
    base, script = info.filename.lower(), _kind_of(archive.namelist()) == "torchscript"  # torch's reader ignores case
    if script and base.endswith(".py"):
        _refuse_operators(archive, info, name)
    elif base.endswith(".pkl") and not script:  # a script's own pickles are read by a reader that runs nothing
        with archive.open(info) as file:
            refuse_code(file, name, info.filename)
    elif base.endswith(".pt"):
        with archive.open(info) as inner:
            _refuse_inner(inner.read(), name, info.filename)


def _refuse_inner(data: bytes, name: str, member: str) -> None:
    """A saved tensor file inside an exported program."""
    if not data:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_twice(archive.namelist(), f"{member} in {name}")
            for info in archive.infolist():
                check_size(info.filename, info.file_size, info.compress_size)
                if info.filename.lower().endswith(".pkl"):
                    with archive.open(info) as file:
                        refuse_code(file, name, f"{member}!{info.filename}")
    except BROKEN_ZIP as fault:
        raise ModelError(f"{member} in {name} is broken ({fault})", expected="a whole file") from fault


def _refuse_operators(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> None:
    if info.file_size > _MOST_CODE:
        raise ModelError(f"{info.filename} in {name} is larger than {_MOST_CODE >> 20} MiB")
    text = archive.read(info).decode("utf-8", "replace")
    for space, operator in _OPERATOR.findall(text):
        if space not in _PLAIN:
            raise ModelError(
                f"{name}: {info.filename} calls the custom operator {space}::{operator}",
                expected="operators of PyTorch itself",
                hint="trace the model without it, and do its work in the contract or the app",
            )
