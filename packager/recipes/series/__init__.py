"""Measurements in time order: the last readings of a sensor with a few channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "a window of a series: float32 [1, length, channels] or [1, length, channels, 1]"
SIDE: Literal["input", "output"] = "input"
ORDER = 30

SHORTEST, MOST_CHANNELS = 8, 16


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """The raw numbers; each channel by its own mean and deviation; all by one."""
    shape = tuple(size or 0 for size in tensor.shape)
    if tensor.dtype != "float32" or len(shape) not in (3, 4) or shape[0] != 1 or shape[3:] not in ((), (1,)):
        return ()
    length, channels = shape[1:3]
    if length < SHORTEST or channels >= length or not 1 <= channels <= MOST_CHANNELS:
        return ()
    name = known.names.get(tensor.name, "readings")
    accepts = {"series": {"channels": channels, "max": max(1000, 4 * length)}}
    window = Step("window", {"length": length, "at": "last"}, "which rows")
    end = (Step("reshape", {"shape": list(shape)}),) if len(shape) == 4 else ()
    ways: tuple[tuple[str, tuple[Step, ...]], ...] = (
        ("as they are", ()),
        ("each channel standardised", (Step("standardize", {"like": "keras", "per": "channel"}, "scale"),)),
        ("all standardised", (Step("standardize", {"like": "keras"}, "scale"),)),
    )
    guess = "a series, and its length"
    return [Proposal(name, (window, *steps, *end), f"the last rows, {words}", accepts, guess) for words, steps in ways]
