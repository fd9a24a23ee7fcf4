"""Golden vectors: what a project must reproduce."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import Frame, Result
from packager.model.tensors import Quantization

Stage = Literal["decode", "input", "output", "result"]


@dataclass(frozen=True)
class Tolerance:
    """|got - expected| <= absolute + relative * |expected|."""

    absolute: float = 0.0
    relative: float = 0.0


@dataclass(frozen=True)
class SampleGolden:
    """One sample through the contract and the source model.

    `decoded`: app-side value by input name (uint8 H x W x C for an image, a `Frame` for a camera frame).
    `model_inputs`: float arrays by tensor name. `outputs`: the source's raw outputs by tensor name. `results`: typed
    results by output name.
    """

    name: str
    decoded: Mapping[str, NDArray[Any] | Frame]
    model_inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, NDArray[Any]]
    results: Mapping[str, Result]


@dataclass(frozen=True)
class GoldenRecord:
    """One array, camera frame or result of one stage of one sample.

    `pixels` is the tolerance of places in a result, in pixels of the original image.
    """

    sample: str
    stage: Stage
    name: str
    tolerance: Tolerance
    array: NDArray[Any] | Frame | None = None
    result: Result | None = None
    quantization: Quantization | None = None
    pixels: float = 0.0


@dataclass(frozen=True)
class ArtifactGolden:
    """The golden vectors of one artefact in one kernel set."""

    artifact: str
    kernel_set: str
    records: tuple[GoldenRecord, ...] = field(default=())


def is_array(value: object) -> bool:
    """Whether a contract value is a plain array rather than a typed result."""
    return isinstance(value, np.ndarray)
