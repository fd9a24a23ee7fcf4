"""Candidates to named detections in pixels of the original image."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from packager.core.constants import Constant
from packager.model.address import Address
from packager.model.contract import (
    Box,
    Call,
    Candidates,
    ContractType,
    Detection,
    Detections,
    Geometry,
    ImageSize,
    Point,
    ResultType,
    StepMismatchError,
    StepParams,
)
from packager.steps._mapping import NOT_PLACED, list_bytes, mapping, places
from packager.steps._values import Array
from packager.steps.labels import Names, read_labels
from packager.steps.nms import need_candidates

SUMMARY = "names candidates and maps them back to the original image: Detections, best first"
MAPS = True
TOP = 100
DETECTION_BYTES = 48
"""Size of `Detection` in C++ with 64-bit pointers; 36 with 32-bit ones."""


class Params(StepParams):
    """Class names in the order of the model's classes, from a file or in place."""

    file: Address | None = Field(default=None, description="Text file, UTF-8, one label in a line.")
    names: Names | None = Field(default=None, description="The labels themselves, in place of a file.")
    top: Annotated[int, Field(gt=0, le=65536)] = Field(
        default=TOP, description="How many of the best detections the result holds at most."
    )
    input: str | None = Field(
        default=None, description="The image that places are mapped back to; may be left out where there is one."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Params:
        if (self.file is None) == (self.names is None):
            raise ValueError("exactly one of `file` and `names` is needed")
        return self

    def files(self) -> Mapping_[str, Address]:
        """The label file, if it is one."""
        return {} if self.file is None else {"file": self.file}


@dataclass(frozen=True)
class BoundDetections:
    """Labels by class index, how many of the best are kept, and the way back to the original image."""

    names: tuple[str, ...]
    top: int
    input: str | None = None
    geometry: Geometry = NOT_PLACED


def bind(params: Params, files: Mapping_[str, Path]) -> BoundDetections:
    """Reads the label file. `StepMismatchError` for wrong content."""
    names = read_labels(files["file"]) if params.names is None else params.names
    if any("\0" in name for name in names):
        raise StepMismatchError("a label holds a NUL", "plain text")
    return BoundDetections(names, params.top, params.input)


def class_names(bound: BoundDetections) -> tuple[str, ...]:
    """All labels by class index, for the model file's own metadata."""
    return bound.names


def placed(bound: BoundDetections, geometry: Geometry) -> BoundDetections:
    """With the way back to the original image."""
    return replace(bound, geometry=geometry)


def result_type(bound: BoundDetections, value: ContractType) -> ContractType:  # noqa: ARG001
    """Candidates -> Detections."""
    need_candidates("detections", value)
    return ResultType("Detections")


def apply(bound: BoundDetections, value: Candidates, photo: ImageSize) -> Detections:
    """The `top` best candidates, equal scores by lower index, in pixels of the original image.

    Boxes: edges by `_mapping.places` (float32), the smaller one first, then clipped to the image. Points are not
    clipped. Raises ValueError for a number that is not finite, and for a class without a label.
    """
    numbers = (value.boxes, value.points, value.scores)
    if not all(np.isfinite(each).all() for each in numbers):
        raise ValueError("a candidate holds a number that is not finite")
    if any(not 0 <= index < len(bound.names) for index in value.classes):
        raise ValueError(f"a candidate's class has no label: there are {len(bound.names)}")
    way = mapping(bound.geometry, photo)
    order = np.argsort(-value.scores.astype(np.float64), kind="stable")[: bound.top]
    boxes = value.boxes[order]
    x0, y0 = places(way, boxes[:, 0], boxes[:, 1])
    x1, y1 = places(way, boxes[:, 2], boxes[:, 3])
    x, y = places(way, value.points[order, :, 0], value.points[order, :, 1])
    left, right = _clipped(x0, x1, photo.width)
    top, bottom = _clipped(y0, y1, photo.height)
    found = []
    for row, at in enumerate(order):
        box = Box(float(left[row]), float(top[row]), float(right[row]), float(bottom[row]))
        points = tuple(Point(float(px), float(py)) for px, py in zip(x[row], y[row], strict=True))
        index = int(value.classes[at])
        found.append(Detection(bound.names[index], float(value.scores[at]), index, box, points))
    return Detections(tuple(found))


def _clipped(a: Array, b: Array, side: int) -> tuple[Array, Array]:
    low, high = np.float32(0), np.float32(side)
    return np.clip(np.minimum(a, b), low, high), np.clip(np.maximum(a, b), low, high)


def call(bound: BoundDetections, value: ContractType) -> Call:
    """`place_detections(names, top, geometry)`: candidates and the original image's size -> Detections."""
    candidates = need_candidates("detections", value)
    top = min(bound.top, candidates.count)
    arguments: tuple[tuple[str, Constant], ...] = (
        ("names", bound.names),
        ("top", top),
        ("geometry", bound.geometry.numbers()),
    )
    workspace = list_bytes(top, DETECTION_BYTES) + list_bytes(top * candidates.points, 8) + list_bytes(top, 4)
    return Call("place_detections", arguments, ResultType("Detections"), workspace, photo=True)
