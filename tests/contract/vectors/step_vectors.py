"""The binary files between the cases and a language's driver (README.md has the layout)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from camera_frames import PlacedFrame
from step_cases import REFUSED, Case

from packager.model.contract import (
    Candidates,
    CandidatesType,
    Classification,
    Detection,
    Detections,
    Embedding,
    Label,
    Landmarks,
    Mask,
    ResultType,
    TensorType,
    Values,
)

UNIT = 16
GAP = 0xA5


@dataclass(frozen=True)
class Packed:
    """Where a case's input lies in `input.bin`."""

    case: Case
    offset: int
    bytes: int


@dataclass(frozen=True)
class Row:
    """One case's outcome. `worst` is the largest absolute error of a tolerant float case."""

    id: str
    passed: bool
    detail: str = ""
    worst: float = 0.0


def write_input(cases: Sequence[Case], file: Path) -> list[Packed]:
    """Writes `input.bin`; the returned places are in the order of the cases."""
    packed: list[Packed] = []
    with file.open("wb") as stream:
        for case in cases:
            payload = input_bytes(case)
            packed.append(Packed(case, stream.tell(), len(payload)))
            stream.write(payload + bytes(-len(payload) % UNIT))
    return packed


def input_bytes(case: Case) -> bytes:
    """A tensor's elements, an image's rows with their gaps, or the blocks of several arrays (`blocks`), or
    a camera frame's planes."""
    if isinstance(case.input, tuple | Candidates):
        return b"".join(part + bytes(-len(part) % UNIT) for part in map(_plain, blocks(case.input)))
    if isinstance(case.input, PlacedFrame):
        return case.input.data
    value = np.ascontiguousarray(case.input)
    if case.stride == 0:
        return _plain(value)
    rows = value.reshape(value.shape[0], -1)
    padded = np.full((rows.shape[0], case.stride), GAP, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.tobytes()


def _plain(value: Any) -> bytes:
    return np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<")).tobytes()


def blocks(value: Any) -> tuple[Any, ...]:
    """The arrays of a value that has several; each starts at a multiple of 16 bytes, see `block_offsets`."""
    if isinstance(value, Candidates):
        return (value.boxes, value.points, value.scores, value.classes)
    return tuple(value)


def block_offsets(item: Packed) -> list[int]:
    """Where each of the `blocks` lies in `input.bin`."""
    offsets, at = [], item.offset
    for block in blocks(item.case.input):
        offsets.append(at)
        at += block.nbytes + (-block.nbytes % UNIT)
    return offsets


def read_outputs(cases: Sequence[Case], file: Path) -> list[Any]:
    """Values in the order of the cases: array, Classification, bytes of another result (`result_bytes`), `REFUSED`, or
    None where the driver gave up.
    """
    data = file.read_bytes()
    values: list[Any] = []
    at = 0
    for case in cases:
        status, size = struct.unpack_from("<ii", data, at)
        payload = data[at + UNIT : at + UNIT + size]
        at += UNIT + size + (-size % UNIT)
        values.append({0: lambda p=payload, c=case: decode(c, p), 1: lambda: REFUSED}.get(status, lambda: None)())
    assert at == len(data), f"{len(data) - at} bytes too many"
    return values


def decode(case: Case, payload: bytes) -> Any:
    """The payload as the call's output type."""
    output = case.call.output
    if isinstance(output, ResultType):
        return _classification(payload) if output.kind == "Classification" else payload
    if isinstance(output, CandidatesType):
        return _candidates(payload)
    if isinstance(output, TensorType):
        return np.frombuffer(payload, np.dtype(output.dtype).newbyteorder("<"))
    return np.frombuffer(payload, np.uint8)


def _classification(payload: bytes) -> Classification:
    labels: list[Label] = []
    at = 0
    while at < len(payload):
        index, score, size = struct.unpack_from("<ifi", payload, at)
        text = payload[at + 12 : at + 12 + size].decode("utf-8")
        labels.append(Label(text, score, index))
        at += 12 + size + (-size % 4)
    return Classification(tuple(labels))


def _candidates(payload: bytes) -> Candidates:
    size, points = struct.unpack_from("<ii", payload)
    floats = np.frombuffer(payload, "<f4", size * (4 + 2 * points + 1), 8)
    boxes, place, scores = np.split(floats, [4 * size, (4 + 2 * points) * size])
    classes = np.frombuffer(payload, "<i4", size, 8 + floats.nbytes)
    assert len(payload) == 8 + floats.nbytes + classes.nbytes
    return Candidates(boxes.reshape(size, 4), place.reshape(size, points, 2), scores, classes)


def compare(cases: Sequence[Case], file: Path) -> list[Row]:
    """One row for each case."""
    return [_compare(case, found) for case, found in zip(cases, read_outputs(cases, file), strict=True)]


def _compare(case: Case, found: Any) -> Row:
    expected = case.expected
    if isinstance(expected, str) or isinstance(found, str) or found is None:
        return Row(case.id, bool(isinstance(found, str) and isinstance(expected, str)), f"{_brief(found)}")
    if isinstance(expected, Candidates):
        return _same_candidates(case, found)
    if isinstance(expected, Classification):
        return Row(case.id, found == expected, "" if found == expected else f"{found} instead of {expected}")
    if isinstance(expected, Detections | Landmarks | Mask | Embedding | Values):
        return _same_result(case, found)
    wanted = np.asarray(expected).reshape(-1)
    if found.shape != wanted.shape:
        return Row(case.id, False, f"{found.size} elements instead of {wanted.size}")
    if case.tolerance is None:
        wrong = np.flatnonzero(_bits(found) != _bits(wanted))
        first = f"{wrong.size} differ, first [{wrong[0]}] {found[wrong[0]]} != {wanted[wrong[0]]}" if wrong.size else ""
        return Row(case.id, wrong.size == 0, first)
    return _close(case, found, wanted)


def _same_candidates(case: Case, found: Any) -> Row:
    """All four arrays equal to the bit."""
    pairs = list(zip(blocks(found), blocks(case.expected), strict=True))
    if any(one.shape != other.shape for one, other in pairs):
        return Row(case.id, False, f"{found.scores.size} candidates instead of {case.expected.scores.size}")
    wrong = [int(np.count_nonzero(_bits(one) != _bits(other))) for one, other in pairs]
    return Row(case.id, not any(wrong), f"boxes, points, scores, classes that differ: {wrong}" if any(wrong) else "")


def result_bytes(result: Any) -> bytes:
    """A result as the drivers write it: words of 4 bytes, numbers as float32, texts with their length before them."""
    if isinstance(result, Detections):
        return _ints(len(result.detections)) + b"".join(map(_detection, result.detections))
    if isinstance(result, Landmarks):
        places = [n for point in result.points for n in (point.x, point.y, point.z)]
        return _floats(result.score) + _ints(len(result.points)) + _floats(*places)
    if isinstance(result, Mask):
        labels = b"".join(map(_text, result.labels))
        return _ints(result.width, result.height, len(result.labels)) + labels + result.classes
    if isinstance(result, Values):
        return _ints(len(result.shape), *result.shape) + _text(result.unit) + _floats(*result.values)
    assert isinstance(result, Embedding)
    return _floats(*result.values)


def _detection(found: Detection) -> bytes:
    box = found.box
    numbers = _floats(found.score, box.left, box.top, box.right, box.bottom)
    points = _floats(*(n for point in found.points for n in (point.x, point.y)))
    return _ints(found.index) + numbers + _ints(len(found.points)) + points + _text(found.label)


def _ints(*numbers: int) -> bytes:
    return np.array(numbers, "<i4").tobytes()


def _floats(*numbers: float) -> bytes:
    return np.array(numbers, "<f4").tobytes()


def _text(text: str) -> bytes:
    data = text.encode("utf-8")
    return _ints(len(data)) + data + bytes(-len(data) % 4)


def _same_result(case: Case, found: bytes) -> Row:
    """Equal to the byte; the score in front of landmarks may have a tolerance."""
    wanted = result_bytes(case.expected)
    if case.tolerance is not None and len(found) == len(wanted):
        row = _close(case, np.frombuffer(found[:4], "<f4"), np.frombuffer(wanted[:4], "<f4"))
        if not row.passed or found[4:] == wanted[4:]:
            return row
    wrong = [at for at, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b]
    same = found == wanted
    return Row(case.id, same, "" if same else f"{len(found)} bytes of {len(wanted)}, first other {wrong[:1]}")


def _bits(values: Any) -> Any:
    """Floats by their bits, any NaN as one."""
    if values.dtype.kind != "f":
        return values
    return np.where(np.isnan(values), np.float32(np.nan), values).astype(np.float32).view(np.uint32)


def _close(case: Case, found: Any, wanted: Any) -> Row:
    assert case.tolerance is not None
    absolute, relative = case.tolerance
    finite = np.isfinite(wanted)
    error = np.abs(found[finite].astype(np.float64) - wanted[finite].astype(np.float64))
    good = bool(np.all(error <= absolute + relative * np.abs(wanted[finite].astype(np.float64))))
    good = good and bool(np.array_equal(_bits(found[~finite]), _bits(wanted[~finite])))
    worst = float(error.max(initial=0.0))
    return Row(case.id, good, "" if good else f"worst error {worst}", worst)


def _brief(value: Any) -> str:
    return "the driver gave up" if value is None else value if isinstance(value, str) else "a value"
