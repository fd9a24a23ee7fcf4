"""Plain scalars of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/, section 10.3), booleans in lower case only."""

from __future__ import annotations

import re

from packager.manifest.nodes import Value

LONGEST_NUMBER = 64
"""Digits beyond which a number cannot be meant; Python itself refuses to read some thousands."""

_CONSTANTS: dict[str, Value] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)


class LongNumberError(ValueError):
    """A number has more digits than any value here can have."""


def resolve(text: str) -> Value:
    """Value of a plain scalar. `1e-4` is a number, `yes`, `12:30` and `2020-01-01` are texts.

    Raises LongNumberError for numbers of more than `LONGEST_NUMBER` characters. Floats may be infinite or NaN;
    whoever takes a number refuses these.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        _check_length(text)
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base)
    if _FLOAT.fullmatch(text):
        _check_length(text)
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", ""))
    return text


def _check_length(text: str) -> None:
    if len(text) > LONGEST_NUMBER:
        raise LongNumberError(text)
