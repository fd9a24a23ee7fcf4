"""The oldest TensorFlow Lite that runs a file, from the versions of its operators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from packager.importers import tflite_file as schema

# Operator versions that TensorFlow Lite 2.16 does not have, and the version that brought them: the map of
# `tensorflow/compiler/mlir/lite/tools/versioning/runtime_version.cc` (TensorFlow 2.23 development). Each operator's
# list begins with the first newer version; all versions before it run in 2.16.
NAME = "TensorFlow Lite"
BASE = "2.16.0"
NEWER: dict[str, dict[int, str]] = {
    "ADD": {6: "2.23.0"},
    "CAST": {7: "2.17.0", 8: "2.21.0"},
    "CONCATENATION": {5: "2.21.0"},
    "DEQUANTIZE": {6: "2.18.0", 7: "2.21.0", 8: "2.22.0"},
    "DYNAMIC_UPDATE_SLICE": {2: "2.17.0", 3: "2.19.0", 4: "2.20.0", 5: "2.21.0", 6: "2.22.0"},
    "EMBEDDING_LOOKUP": {4: "2.18.0", 5: "2.21.0"},
    "EQUAL": {5: "2.21.0"},
    "FULLY_CONNECTED": {12: "2.17.0", 13: "2.18.0", 14: "2.21.0"},
    "MUL": {8: "2.23.0"},
    "NOT_EQUAL": {4: "2.21.0"},
    "PAD": {5: "2.20.0"},
    "PADV2": {5: "2.20.0"},
    "QUANTIZE": {4: "2.21.0", 5: "2.21.0", 6: "2.21.0"},
    "SLICE": {7: "2.21.0"},
    "SQRT": {2: "2.21.0"},
    "STABLEHLO_AND": {1: "2.17.0"},
    "STABLEHLO_CASE": {1: "2.17.0"},
    "STABLEHLO_CBRT": {1: "2.17.0"},
    "STABLEHLO_COMPOSITE": {1: "2.17.0"},
    "STABLEHLO_SHIFT_LEFT": {1: "2.17.0"},
    "TRANSPOSE": {8: "2.22.0"},
    "UNPACK": {5: "2.22.0"},
}
_WRITTEN = "min_runtime_version"


def requirements(model: Any) -> list[dict[str, str]]:
    """{name, version, why} of a file: the newest of its operators' versions and of what its converter wrote.

    Never older than `BASE`, below which nothing is told apart.
    """
    found, why = BASE, "no operator needs a newer one"
    for name, version, since in _operators(model):
        if _number(since) > _number(found):
            found, why = since, f"operator {name} version {version}"
    written = _written(model)
    if written and _number(written) > _number(found):
        found, why = written, f"the file's own `{_WRITTEN}`"
    return [{"name": NAME, "version": found, "why": why}]


def _operators(model: Any) -> Iterator[tuple[str, int, str]]:
    """(operator, version, first runtime with it) of those that `BASE` does not have."""
    for code in model.operatorCodes or ():
        name, version = schema.operator_name(code), int(code.version or 1)
        reached = [since for first, since in NEWER.get(name, {}).items() if first <= version]
        if reached:
            yield name, version, max(reached, key=_number)


def _written(model: Any) -> str:
    for entry in model.metadata or ():
        if (entry.name or b"") == _WRITTEN.encode() and model.buffers[entry.buffer].data is not None:
            text = bytes(model.buffers[entry.buffer].data).rstrip(b"\0").decode("ascii", "replace")
            return text if all(part.isdigit() for part in text.split(".")) else ""
    return ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
