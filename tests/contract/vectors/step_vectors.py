"""The binary files between the cases and a language's driver (README.md has the layout)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from step_cases import REFUSED, Case

from packager.model.contract import Classification, Label, ResultType, TensorType

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
    """A tensor's elements, or an image's rows with their gaps."""
    value = np.ascontiguousarray(case.input)
    if case.stride == 0:
        return value.astype(value.dtype.newbyteorder("<")).tobytes()
    rows = value.reshape(value.shape[0], -1)
    padded = np.full((rows.shape[0], case.stride), GAP, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return padded.tobytes()


def read_outputs(cases: Sequence[Case], file: Path) -> list[Any]:
    """Values in the order of the cases: array, Classification, `REFUSED`, or None where the driver gave up."""
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
        return _classification(payload)
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


def compare(cases: Sequence[Case], file: Path) -> list[Row]:
    """One row for each case."""
    return [_compare(case, found) for case, found in zip(cases, read_outputs(cases, file), strict=True)]


def _compare(case: Case, found: Any) -> Row:
    expected = case.expected
    if isinstance(expected, str) or isinstance(found, str) or found is None:
        return Row(case.id, bool(isinstance(found, str) and isinstance(expected, str)), f"{_brief(found)}")
    if isinstance(expected, Classification):
        return Row(case.id, found == expected, "" if found == expected else f"{found} instead of {expected}")
    wanted = np.asarray(expected).reshape(-1)
    if found.shape != wanted.shape:
        return Row(case.id, False, f"{found.size} elements instead of {wanted.size}")
    if case.tolerance is None:
        wrong = np.flatnonzero(_bits(found) != _bits(wanted))
        first = f"{wrong.size} differ, first [{wrong[0]}] {found[wrong[0]]} != {wanted[wrong[0]]}" if wrong.size else ""
        return Row(case.id, wrong.size == 0, first)
    return _close(case, found, wanted)


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
