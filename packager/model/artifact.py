"""Converted files, and what was measured on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packager.model.evaluation import Accuracy
from packager.model.tensors import Quantization


@dataclass(frozen=True)
class Port:
    """One input or output of an artefact: the source's name, the file's own name, and the tensor's form.

    Where `free`, the first dimension is the batch, which the file leaves open; `shape` has 1 there.
    """

    source: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    quantization: Quantization | None = None
    free: bool = False


@dataclass(frozen=True)
class Requirement:
    """The oldest `version` of `name` (`iOS`, `ONNX Runtime`, ...) that runs an artefact, and what in it needs that."""

    name: str
    version: str
    why: str


@dataclass(frozen=True)
class Artifact:
    """One converted file or folder. `path` is in the cache, `sha256` of the file or of the tree."""

    runtime: str
    precision: str
    path: Path
    file_name: str
    sha256: str
    bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    ops: Mapping[str, int] = field(default_factory=dict)
    requires: tuple[Requirement, ...] = ()

    @property
    def id(self) -> str:
        """`tflite/int8`."""
        return f"{self.runtime}/{self.precision}"


@dataclass(frozen=True)
class Figures:
    """Agreement of an artefact with its source over all samples and outputs, in the source's units.

    `relative` is the largest absolute error over the source output's range; `cosine` the smallest over outputs
    and samples; `decisions` counts samples whose best class stayed, `undecided` those within the margin.
    """

    max_abs: float
    mean_abs: float
    relative: float
    cosine: float
    decisions_kept: int
    decisions: int
    undecided: int
    non_finite: int
    samples: int


@dataclass(frozen=True)
class BatchCheck:
    """Agreement of `size` samples in one run with each of them alone, in the same artefact and kernel set."""

    size: int
    figures: Figures


@dataclass(frozen=True)
class Verdict:
    """One artefact in one kernel set: figures, thresholds and whether they hold; `accuracy` on labelled data, and
    `batch` where the batch is free.
    """

    runtime: str
    precision: str
    kernel_set: str
    figures: Figures
    thresholds: Mapping[str, float]
    passed: bool
    reasons: tuple[str, ...] = ()
    waived: str | None = None
    accuracy: Accuracy | None = None
    batch: BatchCheck | None = None

    @property
    def finite(self) -> bool:
        """Whether every output value is finite, in batches too; a verdict where one is not cannot be waived."""
        return not self.figures.non_finite and not (self.batch and self.batch.figures.non_finite)
