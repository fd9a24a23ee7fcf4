"""Windows of a series."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice
from packager.model.contract import Call, ContractType, SeriesType, StepMismatchError, StepParams, TensorType
from packager.steps._values import Array, aligned

SUMMARY = "a window of a series, or several with a hop: [1, length, channels] or [1, count, length, channels]"
Rows = Annotated[int, Field(gt=0, le=1 << 20)]


class Params(StepParams):
    """Which rows the model takes."""

    length: Rows = Field(description="Rows of a window.")
    hop: Rows | None = Field(default=None, description="Rows from one window to the next; `length` if left out.")
    count: Annotated[int, Field(gt=0, le=10_000)] = Field(default=1, description="Number of windows.")
    at: Literal["first", "last"] = Field(
        description="Windows from the first row on, or so that the last window ends with the last row."
    )
    short: Literal["refuse", "pad"] = Field(
        default="refuse",
        description="A series that is too short: refused, or padded with zeros (behind it for `first`, before it for "
        "`last`).",
    )

    @property
    def step(self) -> int:
        """Rows from one window to the next."""
        return self.hop or self.length

    @property
    def needed(self) -> int:
        """Rows of the shortest series that has all windows."""
        return self.length + (self.count - 1) * self.step


def result_type(bound: Params, value: ContractType) -> ContractType:
    """series of c channels -> float32[1, length, c], or [1, count, length, c]."""
    if not isinstance(value, SeriesType):
        raise StepMismatchError(f"`window` works on a series, but the value before it is {value}", "a series")
    if value.max_length < bound.needed and bound.short == "refuse":
        raise StepMismatchError(
            f"the windows need {bound.needed} rows, but at most {value.max_length} are accepted",
            f"`accepts:` with at least {bound.needed} rows",
            "accept a longer series, or pad with `short: pad`",
        )
    windows = () if bound.count == 1 else (bound.count,)
    return TensorType("float32", (1, *windows, bound.length, value.channels))


def apply(bound: Params, value: Array) -> Array:
    """float32 [n, c] -> float32 [1, length, c] or [1, count, length, c]; `ValueError` for too short a series."""
    rows, channels = value.shape
    missing = bound.needed - rows
    if missing > 0 and bound.short == "refuse":
        raise ValueError(f"{bound.needed} rows are needed, got {rows}")
    zeros = np.zeros((max(0, missing), channels), np.float32)
    first = bound.at == "first"
    padded = np.concatenate([value, zeros] if first else [zeros, value])
    start = 0 if first else len(padded) - bound.needed
    starts = range(start, start + bound.count * bound.step, bound.step)
    windows = np.stack([padded[at : at + bound.length] for at in starts])
    return windows if bound.count == 1 else windows[None]


def call(bound: Params, value: ContractType) -> Call:
    """`window(length, hop, count, place, pad)`: Series -> float32 tensor."""
    output = result_type(bound, value)
    assert isinstance(output, TensorType)
    arguments = (
        ("length", bound.length),
        ("hop", bound.step),
        ("count", bound.count),
        ("place", Choice("window_place", bound.at)),
        ("pad", bound.short == "pad"),
    )
    return Call("window", arguments, output, aligned(4 * output.size))
