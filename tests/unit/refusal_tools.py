"""Builds files that are refused, and holds the texts of the refusals by snapshots."""

from __future__ import annotations

import difflib
import io
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

from packager.core.console import format_finding
from packager.core.errors import ModelError
from packager.registry import Catalog
from packager.stages import source

SNAPSHOTS = Path(__file__).parent / "snapshots" / "refusals"
CATALOG = Catalog()
HEAD = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19." + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
"""What a file of PyTorch begins with that is no zip archive."""


def refusal(path: Path) -> str:
    """What the user is told of a file, without any folder."""
    try:
        source.inspect(path, {}, CATALOG)
    except ModelError as refused:
        text = "\n\n".join(format_finding(found) for found in refused.findings) + "\n"
        return text.replace(f"{path.parent}/", "")
    raise AssertionError(f"{path.name} was not refused")


def check_snapshot(name: str, text: str) -> None:
    """Compare with the stored text; `UPDATE_SNAPSHOTS=1` stores it."""
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), f"no snapshot {file.name}: run with UPDATE_SNAPSHOTS=1 and read what it writes"
    stored = file.read_text(encoding="utf-8")
    difference = difflib.unified_diff(stored.splitlines(), text.splitlines(), "stored", "now", lineterm="")
    assert text == stored, "\n".join(difference)


def zipped(members: Mapping[str, bytes], *, packed: bool = False, encrypted: bool = False) -> bytes:
    """A zip archive; `encrypted` sets the flag of its members (their bytes are as they were)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    data = bytearray(buffer.getvalue())
    if encrypted:
        for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = data.find(mark)
            while at >= 0:
                data[at + offset] |= 1
                at = data.find(mark, at + 4)
    return bytes(data)


def global_pickle(module: str, name: str, protocol: int = 2) -> bytes:
    """A pickle that calls module.name('x'); it is never unpickled."""
    if protocol < 4:
        return b"\x80\x02c" + f"{module}\n{name}\n".encode() + b"X\x01\x00\x00\x00x\x85R."
    texts = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() + b"\x94" for text in (module, name))
    return b"\x80\x04" + texts + b"\x93\x8c\x01x\x85R."


STATE = (
    b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01X\x01\x00\x00\x00wq\x02ctorch._utils\n_rebuild_tensor_v2\nq\x03(("
    b"X\x07\x00\x00\x00storageq\x04ctorch\nFloatStorage\nq\x05X\x01\x00\x00\x000q\x06X\x03\x00\x00\x00cpuq\x07K\x01tq\x08Q"
    b"K\x00K\x01\x85q\tK\x01\x85q\n\x89h\x00)Rq\x0btq\x0cRq\rs."
)
"""The pickle of a state dict with one weight of one value."""


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """A protocol buffer of texts, messages and small numbers."""
    made = b""
    for number, value in fields:
        made += _varint(number << 3 | (0 if isinstance(value, int) else 2))
        made += _varint(value) if isinstance(value, int) else _varint(len(value)) + value
    return made


def _varint(value: int) -> bytes:
    made = b""
    while value > 0x7F:
        made += bytes([value & 0x7F | 0x80])
        value >>= 7
    return made + bytes([value])


def safetensors() -> bytes:
    """A header with one tensor."""
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return struct.pack("<Q", len(header)) + header + b"\0\0\0\0"
