"""Points of one object, mapped back to the original image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Constant, Float32
from packager.model.contract import (
    Call,
    ContractType,
    Geometry,
    ImageSize,
    Landmarks,
    Point3,
    ResultType,
    StepMismatchError,
    StepParams,
    TensorsType,
    TensorType,
)
from packager.steps._mapping import NOT_PLACED, list_bytes, mapping, need_size, places
from packager.steps._values import Array, aligned, need_tensor, refuse_activation
from packager.steps.sigmoid import Params as SigmoidParams
from packager.steps.sigmoid import apply as sigmoid

SUMMARY = "one tensor of points (and one with their score) to Landmarks in pixels of the original image"
MAPS = True
NEEDS: tuple[str, ...] = ("sigmoid",)
TOLERANCE = (1e-7, 1e-6)
"""Of the score after `sigmoid`, between languages: |err| <= absolute + relative * |reference|."""


class Params(StepParams):
    """How the points stand in the tensor. A second tensor holds one number, the score; without it the score is 1."""

    dimensions: Literal[2, 3] = Field(description="Numbers of each point: x, y or x, y, z, side by side.")
    unit: Literal["pixels", "ratio"] = Field(
        description="pixels: of the model's input; ratio: 0 to 1 of its width and height (z: of its width)."
    )
    score: Literal["as-is", "sigmoid"] = Field(default="as-is", description="What makes the score of its number.")
    input: str | None = Field(
        default=None, description="The image that places are mapped back to; may be left out where there is one."
    )


@dataclass(frozen=True)
class BoundLandmarks:
    """The parameters with the way back to the original image."""

    dimensions: int
    unit: str
    score: str
    input: str | None = None
    geometry: Geometry = NOT_PLACED


def bind(params: Params, files: Any) -> BoundLandmarks:  # noqa: ARG001
    """The parameters as the plan completes them."""
    return BoundLandmarks(params.dimensions, params.unit, params.score, params.input)


def placed(bound: BoundLandmarks, geometry: Geometry) -> BoundLandmarks:
    """With the way back to the original image."""
    return replace(bound, geometry=geometry)


def result_type(bound: BoundLandmarks, value: ContractType) -> ContractType:
    """A float32 tensor of points, or that and one of a single number -> Landmarks."""
    points, score = _tensors(value)
    if points.size % bound.dimensions or points.size == 0:
        raise StepMismatchError(f"{points} does not hold points of {bound.dimensions} numbers", "n points")
    if score is not None and score.size != 1:
        raise StepMismatchError(f"the second tensor is {score}", "one number, the score")
    if score is not None and bound.score == "sigmoid":
        refuse_activation("sigmoid", score, ("sigmoid", "softmax"))
    if bound.unit == "ratio":
        need_size("landmarks", bound.geometry)
    return ResultType("Landmarks")


def _tensors(value: ContractType) -> tuple[TensorType, TensorType | None]:
    if isinstance(value, TensorsType):
        if len(value.tensors) != 2:
            raise StepMismatchError(f"`landmarks` takes one or two tensors, not {len(value.tensors)}", "points, score")
        points, score = value.tensors
        return need_tensor("landmarks", points), need_tensor("landmarks", score)
    return need_tensor("landmarks", value), None


def apply(bound: BoundLandmarks, value: Array | tuple[Array, Array], photo: ImageSize) -> Landmarks:
    """Points in the model's unit, times width and height for a ratio (float32), then by `_mapping.places`.

    z is multiplied by the absolute scale of the model's x. Raises ValueError for a number that is not finite.
    """
    points, score = value if isinstance(value, tuple) else (value, np.ones(1, np.float32))
    if not np.isfinite(points).all() or not np.isfinite(score).all():
        raise ValueError("a number is not finite")
    way = mapping(bound.geometry, photo)
    across, down = (np.float32(side) for side in _sides(bound))
    rows = points.reshape(-1, bound.dimensions)
    x, y = places(way, rows[:, 0] * across, rows[:, 1] * down)
    depth = np.float32(abs(way.scale_y if way.turned else way.scale_x))
    z = rows[:, 2] * across * depth if bound.dimensions == 3 else np.zeros_like(x)
    sure = sigmoid(SigmoidParams(), score) if bound.score == "sigmoid" and isinstance(value, tuple) else score
    found = (Point3(float(px), float(py), float(pz)) for px, py, pz in zip(x, y, z, strict=True))
    return Landmarks(float(sure.reshape(-1)[0]), tuple(found))


def _sides(bound: BoundLandmarks) -> tuple[int, int]:
    return (bound.geometry.width, bound.geometry.height) if bound.unit == "ratio" else (1, 1)


def call(bound: BoundLandmarks, value: ContractType) -> Call:
    """`place_landmarks(dimensions, across, down, geometry)`: points, size of the original image -> Landmarks.

    `place_landmarks_scored(dimensions, across, down, squash, geometry)`: points, score, size -> Landmarks.
    """
    points, score = _tensors(value)
    across, down = _sides(bound)
    arguments: tuple[tuple[str, Constant], ...] = (
        ("dimensions", bound.dimensions),
        ("across", Float32(float(across))),
        ("down", Float32(float(down))),
    )
    workspace = list_bytes(points.size // bound.dimensions, 12)
    geometry: tuple[tuple[str, Constant], ...] = (("geometry", bound.geometry.numbers()),)
    if score is None:
        return Call("place_landmarks", (*arguments, *geometry), ResultType("Landmarks"), workspace, photo=True)
    arguments = (*arguments, ("squash", bound.score == "sigmoid"), *geometry)
    workspace += aligned(4) if bound.score == "sigmoid" else 0
    return Call("place_landmarks_scored", arguments, ResultType("Landmarks"), workspace, photo=True)
