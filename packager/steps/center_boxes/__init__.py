"""Boxes and key points of a heat map of centres, as CenterFace's are decoded."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from packager.core.constants import Constant, Float32
from packager.model.contract import (
    Call,
    Candidates,
    CandidatesType,
    ContractType,
    StepMismatchError,
    StepParams,
    TensorsType,
    TensorType,
)
from packager.steps._values import Array
from packager.steps.nms import candidate_bytes
from packager.steps.ssd_boxes._exp import exp

SUMMARY = "boxes and key points of CenterFace's heat map, sizes, offsets and points; those below the threshold go"
NEEDS: tuple[str, ...] = ("nms", "ssd_boxes")
EXPECTED = "float32[1, classes, h, w], [1, 2, h, w], [1, 2, h, w], [1, 2 * points, h, w]"


class Params(StepParams):
    """How far the map's cells lie apart, and the least score."""

    stride: Annotated[int, Field(gt=0, le=64)] = Field(
        description="Pixels of the model's input from one cell of the map to the next (CenterFace: 4)."
    )
    threshold: Annotated[float, Field(ge=0, le=1)] = Field(description="Least value of the heat map.")


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Heat map, sizes, offsets and points -> candidates, at most one for each cell."""
    heat, _, _, points = _tensors(bound, value)
    return CandidatesType(heat.shape[2] * heat.shape[3], points.shape[1] // 2)


def _tensors(bound: Params, value: ContractType) -> tuple[TensorType, ...]:  # noqa: ARG001
    if not isinstance(value, TensorsType) or len(value.tensors) != 4:
        raise StepMismatchError(
            f"`center_boxes` takes four tensors, but the value before it is {value}",
            EXPECTED,
            "name them under `tensors:`: heat map, sizes, offsets, points",
        )
    sizes, offsets, points = value.tensors[1:]
    for tensor in value.tensors:
        if tensor.dtype != "float32" or len(tensor.shape) != 4 or tensor.shape[0] != 1:
            raise StepMismatchError(f"`center_boxes` cannot take {tensor}", EXPECTED)
    maps = {tensor.shape[2:] for tensor in value.tensors}
    if len(maps) > 1 or (sizes.shape[1], offsets.shape[1]) != (2, 2) or points.shape[1] % 2:
        raise StepMismatchError(f"{value} are not a heat map, sizes, offsets and points", EXPECTED)
    return value.tensors


def apply(bound: Params, value: tuple[Array, Array, Array, Array]) -> Candidates:
    """float32 [1, c, h, w], [1, 2, h, w] twice, [1, 2 * points, h, w] -> candidates in the order of cells, pixels.

    In single float32 operations, but for `exp`: size = exp(size) * stride; left = (column + offset + 0.5) * stride -
    width / 2, clamped to the input; right = left + width, at most the input's; a point is left + x * width; y alike.
    The maps hold y before x. The class is that of the largest heat, equal ones by lower index. ValueError where a heat,
    or a kept box or point, is not finite.
    """
    columns = value[0].shape[3]
    heat, sizes, offsets, places = (one[0].reshape(one.shape[1], columns * one.shape[2]) for one in value)
    if not np.isfinite(heat).all():
        raise ValueError("a score is not finite")
    classes = np.argmax(heat, axis=0).astype(np.int32)
    scores = heat.max(axis=0)
    cells = np.flatnonzero(scores >= np.float32(bound.threshold))
    stride = np.float32(bound.stride)
    side = np.array([columns, value[0].shape[2]], np.float32) * stride
    with np.errstate(all="ignore"):
        index = np.stack([cells % columns, cells // columns], axis=1).astype(np.float32)
        size = exp(sizes[::-1, cells].T).astype(np.float32) * stride
        first = (index + offsets[::-1, cells].T + np.float32(0.5)) * stride - size / np.float32(2)
        first = np.minimum(np.maximum(first, np.float32(0)), side)
        boxes = np.concatenate([first, np.minimum(first + size, side)], axis=1)
        pairs = places[:, cells].T.reshape(cells.size, places.shape[0] // 2, 2)[:, :, ::-1]
        points = pairs * size[:, None] + first[:, None]
    if not (np.isfinite(size).all() and np.isfinite(boxes).all() and np.isfinite(points).all()):
        raise ValueError("a box is not finite")
    return Candidates(boxes, points, scores[cells], classes[cells])


def call(bound: Params, value: ContractType) -> Call:
    """`center_boxes(columns, rows, classes, points, stride, threshold)`: four float32 tensors -> candidates."""
    heat, _, _, places = _tensors(bound, value)
    rows, columns, points = heat.shape[2], heat.shape[3], places.shape[1] // 2
    arguments: tuple[tuple[str, Constant], ...] = (
        ("columns", columns),
        ("rows", rows),
        ("classes", heat.shape[1]),
        ("points", points),
        ("stride", Float32(float(bound.stride))),
        ("threshold", Float32(float(np.float32(bound.threshold)))),
    )
    return Call("center_boxes", arguments, result_type(bound, value), candidate_bytes(rows * columns, points))
