"""Labelled data, and what was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packager.model.contract import Box, ResultKind

METRIC_KINDS: Mapping[str, tuple[ResultKind, ...]] = {
    "top1": ("Classification",),
    "f1": ("Classification",),
    "mae": ("Values", "Embedding"),
    "map50": ("Detections",),
}
"""Kinds of result that each metric judges."""


@dataclass(frozen=True)
class LabelledBox:
    """One object that is known to be in an image: its class and its edges in pixels of that image."""

    label: str
    box: Box


Truth = str | tuple[float, ...] | tuple[LabelledBox, ...]
"""What is known of one sample: a label, numbers, or boxes."""


@dataclass(frozen=True)
class LabelledSample:
    """One row of the data: a file and its sha256 for each input, what is known, and its line in the data file."""

    files: Mapping[str, Path]
    hashes: Mapping[str, str]
    truth: Truth
    line: int


@dataclass(frozen=True)
class LabelledData:
    """All samples for one output; `name` is the data file's address, `sha256` its content's."""

    name: str
    sha256: str
    output: str
    metric: str
    max_drop: float
    samples: tuple[LabelledSample, ...]


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Accuracy:
    """A metric of the source and of one artefact in one kernel set, on the same `n` samples.

    `drop` is positive where the artefact is worse, in the metric's own unit. `method` says how the intervals are made.
    """

    metric: str
    n: int
    source: Estimate
    artifact: Estimate
    drop: Estimate
    max_drop: float
    method: str
