"""Reads protocol buffers by field number, without generated classes: for files whose classes are heavy to import."""

from __future__ import annotations

from collections.abc import Iterator


class BrokenMessageError(Exception):
    """The bytes are no message."""


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return (value, next position) of the variable-length integer at `at`. Raises BrokenMessageError."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise BrokenMessageError("a number has no end")


def fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (field number, value): an integer, or the bytes of a text, message, packed list or fixed number.

    Raises BrokenMessageError.
    """
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
            yield number, value
            continue
        if wire == 2:
            size, at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire, -1)
        if size < 0 or at + size > len(data):
            raise BrokenMessageError(f"field {number} does not end within its message")
        yield number, data[at : at + size]
        at += size


def messages(data: memoryview, number: int) -> Iterator[memoryview]:
    """Yield the bytes of every length-delimited field `number`."""
    for found, value in fields(data):
        if found == number and isinstance(value, memoryview):
            yield value


def message(data: memoryview, number: int) -> memoryview:
    """Return the last field `number`, empty where there is none."""
    return next(reversed([*messages(data, number)]), memoryview(b""))


def text(data: memoryview, number: int) -> str:
    """Return the last text in field `number`."""
    return bytes(message(data, number)).decode("utf-8", "replace")


def integer(data: memoryview, number: int) -> int:
    """Return the last integer in field `number` as int64, 0 where there is none."""
    value = 0
    for found, held in fields(data):
        if found == number and isinstance(held, int):
            value = held
    return value - (1 << 64) if value >= 1 << 63 else value


def entries(data: memoryview, number: int) -> Iterator[tuple[str, memoryview]]:
    """Yield (key, value bytes) of a map from text to messages or texts."""
    for entry in messages(data, number):
        yield text(entry, 1), message(entry, 2)
