"""Turns the project's frozen values into what `json.dumps` takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any


def to_json(value: Any) -> Any:
    """Return `value` as dicts with string keys, lists, strings, numbers, booleans and None.

    Takes dataclasses, pydantic models (by alias), enums (their value), paths (with `/`), mappings, sequences,
    sets (sorted), and numpy scalars and arrays. Raises TypeError for anything else.
    """
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, PurePath):
        return value.as_posix()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(to_json(item) for item in value)
    return _foreign(value)


def _key(key: Any) -> str:
    plain = to_json(key)
    if isinstance(plain, str):
        return plain
    if isinstance(plain, int) and not isinstance(plain, bool):
        return str(plain)
    raise TypeError(f"{key!r} cannot be a key in JSON")


def _foreign(value: Any) -> Any:
    """Pydantic models and numpy values, known by their methods: the core imports neither."""
    if hasattr(value, "model_dump") and not isinstance(value, type):
        return to_json(value.model_dump(mode="json", by_alias=True))
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return to_json(value.tolist())
    raise TypeError(f"{type(value).__name__} has no JSON form")
