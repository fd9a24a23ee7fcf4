"""What an ONNX file's own metadata says of labels and preprocessing."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from packager.model.recipes import Known

if TYPE_CHECKING:
    import onnx

_LABELS = ("names", "labels", "classes", "class_names", "packager.labels")
"""Keys that exporters use: `names` is Ultralytics', the others are common by hand."""


def known(model: onnx.ModelProto) -> Known:
    """Labels, mean and std of `metadata_props`; a value that is no list or mapping is left out."""
    given = {entry.key: entry.value for entry in model.metadata_props}
    found: dict[str, Any] = {}
    for key in _LABELS:
        labels = _labels(_value(given.get(key, "")))
        if labels:
            found = {"labels": labels, "origin": (f"metadata `{key}`",)}
            break
    mean, std = _numbers(given.get("mean", "")), _numbers(given.get("std", ""))
    if mean and std and len(mean) == len(std):
        found |= {"mean": mean, "std": std, "origin": (*found.get("origin", ()), "metadata `mean` and `std`")}
    return Known(**found)


def _value(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return text.splitlines() if "\n" in text else [part.strip() for part in text.split(",") if part.strip()]


def _labels(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        try:
            numbered = {int(key): str(label) for key, label in value.items()}
        except (TypeError, ValueError):
            return ()
        whole = set(numbered) == set(range(len(numbered)))
        return tuple(numbered[index] for index in range(len(numbered))) if whole else ()
    return tuple(map(str, value)) if isinstance(value, list | tuple) and len(value) > 1 else ()


def _numbers(text: str) -> tuple[float, ...]:
    value = _value(text)
    values = value if isinstance(value, list | tuple) else [value]
    try:
        return tuple(float(number) for number in values)
    except (TypeError, ValueError):
        return ()
