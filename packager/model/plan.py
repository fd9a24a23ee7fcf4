"""What `build` will do, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from packager.model.contract import Chain
from packager.model.manifest import Target
from packager.model.source import ModelSource


@dataclass(frozen=True)
class ArtifactRequest:
    """One artefact that somebody wants."""

    runtime: str
    precision: str
    wanted_by: tuple[str, ...]

    @property
    def id(self) -> str:
        """`tflite/int8`."""
        return f"{self.runtime}/{self.precision}"


@dataclass(frozen=True)
class Job:
    """One node of the DAG: `convert:tflite/int8` needs `contract`."""

    id: str
    needs: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True)
class Prediction:
    """What can be told of one artefact before it is made.

    `ops` counts the source's operations or layers; converters fuse some. `file_bytes` are the weights in the artefact's
    precision, `peak_bytes` weights and values alive at once while it runs; None where the source does not tell.
    `peak_at` is the operation of that peak, `partial` the number of tensors whose size is not known and not counted.
    `notes` are costs and limits in words.
    """

    artifact: str
    ops: Mapping[str, int]
    file_bytes: int | None = None
    peak_bytes: int | None = None
    peak_at: str = ""
    partial: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Jobs in an order that respects their needs, the checked chains, and what was noticed."""

    source: ModelSource
    inputs: tuple[Chain, ...]
    outputs: tuple[Chain, ...]
    artifacts: tuple[ArtifactRequest, ...]
    targets: tuple[Target, ...]
    jobs: tuple[Job, ...]
    contract_hash: str
    notes: tuple[str, ...] = ()
    missing_tools: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    estimated_bytes: Mapping[str, int] = field(default_factory=dict)
    evaluation: Mapping[str, Any] | None = None
    predictions: tuple[Prediction, ...] = ()
