"""What a TFLite file's own metadata says: the flatbuffer `ModelMetadata` (M001), its associated files, our own stamp.

Layout from `metadata_schema.fbs` of TensorFlow Lite Support; fields are read by number, and a file whose offsets lead
outside of it is refused. Associated files are a ZIP archive behind the model.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from packager.core.archive import BROKEN_ZIP
from packager.core.errors import ModelError
from packager.importers import tflite_file
from packager.model.recipes import Known, usable

NAME = "TFLITE_METADATA"
LABELS = "packager.labels"
IDENTIFIER = b"M001"
_IMAGE, _NORMALIZATION, _AXIS_LABELS, _VALUE_LABELS = 2, 1, 2, 3
_COLORS = {1: "rgb", 2: "grey"}
_MOST_LABELS = 16 << 20
_LICENCES = {"apache": "Apache-2.0", "mit": "MIT"}


class Table:
    """A table of a flatbuffer: its values by field number, None where the file leaves a field out."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        (back,) = struct.unpack_from("<i", data, at)
        self._fields = at - back
        (self._size,) = struct.unpack_from("<H", data, self._fields)

    def _place(self, slot: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._size:
            return None
        (offset,) = struct.unpack_from("<H", self._data, self._fields + entry)
        return self._at + offset if offset else None

    def number(self, slot: int, form: str) -> int:
        """A scalar, `form` as struct calls it; 0 where it is left out."""
        place = self._place(slot)
        return 0 if place is None else int(struct.unpack_from(f"<{form}", self._data, place)[0])

    def _target(self, slot: int) -> int | None:
        place = self._place(slot)
        return None if place is None else place + struct.unpack_from("<I", self._data, place)[0]

    def table(self, slot: int) -> Table | None:
        """A table below."""
        target = self._target(slot)
        return None if target is None else Table(self._data, target)

    def text(self, slot: int) -> str:
        """A text, empty where it is left out."""
        target = self._target(slot)
        if target is None:
            return ""
        (size,) = struct.unpack_from("<I", self._data, target)
        return self._data[target + 4 : target + 4 + size].decode("utf-8", "replace")

    def tables(self, slot: int) -> list[Table]:
        """A list of tables."""
        target = self._target(slot)
        if target is None:
            return []
        (count,) = struct.unpack_from("<I", self._data, target)
        if count * 4 > len(self._data):
            raise IndexError("a list is longer than the file")
        places = [target + 4 + 4 * index for index in range(count)]
        return [Table(self._data, place + struct.unpack_from("<I", self._data, place)[0]) for place in places]

    def floats(self, slot: int) -> tuple[float, ...]:
        """A list of float32 numbers."""
        target = self._target(slot)
        if target is None:
            return ()
        (count,) = struct.unpack_from("<I", self._data, target)
        if count * 4 > len(self._data):
            raise IndexError("a list is longer than the file")
        return struct.unpack_from(f"<{count}f", self._data, target + 4)


def known(path: Path) -> Known:
    """Names, normalisation, size and colours of the one image, labels, licence. Raises ModelError for broken ones."""
    model = tflite_file.load(path)
    held = {(entry.name or b"").decode("utf-8", "replace"): entry.buffer for entry in model.metadata or ()}
    found: dict[str, Any] = {}
    try:
        if NAME in held:
            found = _official(bytes(model.buffers[held[NAME]].data), model.subgraphs[0], _files(path))
        if LABELS in held and not found.get("labels"):
            labels = json.loads(bytes(model.buffers[held[LABELS]].data))
            only = next(iter(labels.values())) if isinstance(labels, Mapping) and len(labels) == 1 else ()
            found |= {"labels": tuple(map(str, only))}
    except (struct.error, IndexError, ValueError, TypeError, RecursionError) as fault:
        raise ModelError(
            f"the metadata of {path.name} is broken ({type(fault).__name__}: {fault})",
            expected="TFLite metadata as its own tools write it",
            hint="compare the file's size with the original, or take the metadata out",
        ) from fault
    facts = usable(found)
    return Known(**facts, origin=("TFLite metadata",) if facts else ())


def _official(data: bytes, graph: Any, files: Mapping[str, bytes]) -> dict[str, Any]:
    if data[4:8] != IDENTIFIER:
        return {}
    top = Table(data, struct.unpack_from("<I", data, 0)[0])
    about = next(iter(top.tables(3)), None)
    inputs, outputs = (about.tables(2), about.tables(3)) if about is not None else ([], [])
    names = {**_names(graph, graph.inputs, inputs), **_names(graph, graph.outputs, outputs)}
    found: dict[str, Any] = {"names": names, "license": _licence(top.text(5))}
    images = [each for each in inputs if _is_image(each)]
    if len(images) == 1:
        found |= _image(images[0])
    lists = [labels for each in outputs for labels in [_labels(each, files)] if labels]
    return found | ({"labels": lists[0]} if len(lists) == 1 else {})


def _names(graph: Any, indices: Sequence[int], about: Sequence[Table]) -> dict[str, str]:
    own = [tflite_file.tensor_name(graph.tensors[index]) for index in indices]
    return {name: item.text(0) for name, item in zip(own, about, strict=False) if item.text(0) not in ("", name)}


def _is_image(about: Table) -> bool:
    content = about.table(3)
    return content is not None and content.number(0, "B") == _IMAGE


def _image(about: Table) -> dict[str, Any]:
    content = about.table(3)
    image = content.table(1) if content is not None else None
    found: dict[str, Any] = {}
    if image is not None:
        found["color"] = _COLORS.get(image.number(0, "b"))
        size = image.table(1)
        if size is not None and size.number(0, "I") and size.number(1, "I"):
            found["size"] = (size.number(1, "I"), size.number(0, "I"))
    for unit in about.tables(4):
        options = unit.table(1) if unit.number(0, "B") == _NORMALIZATION else None
        if options is not None and options.floats(0) and len(options.floats(0)) == len(options.floats(1)):
            found |= {"mean": _short(options.floats(0)), "std": _short(options.floats(1))}
    return found


def _short(values: tuple[float, ...]) -> tuple[float, ...]:
    """As float32 numbers are written, so that 0.1 stays 0.1."""
    return tuple(_shortest(value) for value in values)


def _shortest(value: float) -> float:
    if not math.isfinite(value):
        return value
    with np.errstate(over="ignore"):  # the largest numbers, rounded up
        return next(each for each in _rounded(value) if float(np.float32(each)) == value)


def _rounded(value: float) -> Iterator[float]:
    yield from (float(f"{value:.{digits}g}") for digits in range(1, 10))
    yield value


def _labels(about: Table, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Lines of the file that names the tensor's classes; of several (locales) the first."""
    for entry in about.tables(6):
        data = files.get(entry.text(0))
        if entry.number(2, "b") in (_AXIS_LABELS, _VALUE_LABELS) and data is not None:
            return tuple(data.decode("utf-8-sig").splitlines())
    return ()


def _files(path: Path) -> dict[str, bytes]:
    """The associated files; none where no archive stands behind the model."""
    data = path.read_bytes()
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            small = [info for info in archive.infolist() if info.file_size <= _MOST_LABELS and not info.is_dir()]
            return {info.filename: archive.read(info) for info in small}
    except BROKEN_ZIP as fault:
        raise ValueError(f"its associated files cannot be read: {fault}") from fault


def _licence(text: str) -> str | None:
    """The SPDX name of a licence that is named in words or already so; None for one that is not known here."""
    words = text.strip()
    if words and " " not in words and words.upper() not in ("NOASSERTION", "UNKNOWN", "NONE") and len(words) < 64:
        return words
    folded = words.casefold()
    return next((spdx for word, spdx in _LICENCES.items() if folded.startswith(word)), None)
