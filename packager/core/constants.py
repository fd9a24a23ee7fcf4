"""Constants that a rendered project holds, independent of its language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """A constant of a native enum, both parts in snake_case: `fit`/`crop` is `Fit::kCrop`, `Fit.CROP`, `.crop`."""

    enum: str
    value: str


@dataclass(frozen=True)
class Float32:
    """A number that is exactly a float32 (a plain float is a float64)."""

    value: float


Constant = (
    bool
    | int
    | float
    | str
    | Choice
    | Float32
    | tuple[int, ...]
    | tuple[float, ...]
    | tuple[Float32, ...]
    | tuple[str, ...]
)
