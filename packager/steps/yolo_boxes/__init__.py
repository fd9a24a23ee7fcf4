"""Boxes of a YOLO head, as its exporters write it."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from packager.core.constants import Choice, Constant, Float32
from packager.model.contract import Call, Candidates, CandidatesType, ContractType, StepMismatchError, StepParams
from packager.steps._values import Array, need_tensor
from packager.steps.nms import candidate_bytes

SUMMARY = "boxes, best class and score of a YOLO head (v5 or v8 layout); those below the threshold go"
NEEDS: tuple[str, ...] = ("nms",)
Side = Annotated[int, Field(gt=0, le=8192)]


class Params(StepParams):
    """How the head's tensor is laid out, and the least score."""

    layout: Literal["v5", "v8"] = Field(
        description="v5 (also v7): [1, n, 5 + classes] with objectness; v8 (also v9, v11): [1, 4 + classes, n] without."
    )
    threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Least score: the best class's, for v5 times the objectness."
    )
    width: Side | None = Field(
        default=None, description="Width of the model's input, only where the boxes are fractions of it, not pixels."
    )
    height: Side | None = Field(default=None, description="Height of the model's input, together with `width`.")

    @model_validator(mode="after")
    def _both_sides(self) -> Params:
        if (self.width is None) != (self.height is None):
            raise ValueError("`width` and `height` are given together, or not at all")
        return self


def result_type(bound: Params, value: ContractType) -> ContractType:
    """float32 tensor in the stated layout -> candidates without key points."""
    return CandidatesType(_sizes(bound, value)[0], 0)


def _sizes(bound: Params, value: ContractType) -> tuple[int, int]:
    """Boxes and classes of the tensor."""
    tensor = need_tensor("yolo_boxes", value)
    expected = "[1, boxes, 5 + classes]" if bound.layout == "v5" else "[1, 4 + classes, boxes]"
    if len(tensor.shape) != 3 or tensor.shape[0] != 1:
        raise StepMismatchError(f"`layout: {bound.layout}` does not fit {tensor}", expected)
    boxes, numbers = tensor.shape[1:] if bound.layout == "v5" else tensor.shape[:0:-1]
    classes = numbers - (5 if bound.layout == "v5" else 4)
    if classes < 1 or boxes < numbers:
        other = "v8" if bound.layout == "v5" else "v5"
        hint = f"is it `layout: {other}`?" if boxes < numbers else ""
        raise StepMismatchError(
            f"`layout: {bound.layout}` would make {boxes} boxes of {numbers} numbers of {tensor}", expected, hint
        )
    return boxes, classes


def apply(bound: Params, value: Array) -> Candidates:
    """float32 tensor -> candidates in index order, corners in pixels; all in single float32 operations.

    score = best of the classes' scores (v5: of `objectness * class`), equal ones by lower class, kept where it is at
    least (float)threshold; left = x - w / 2, right = x + w / 2, then times the input's width where that is given; top
    and bottom alike. A kept box of negative width or height is left out. ValueError where a score, or a kept box, is
    not finite.
    """
    rows = value[0] if bound.layout == "v5" else value[0].T
    with np.errstate(all="ignore"):
        scores = rows[:, 5:] * rows[:, 4:5] if bound.layout == "v5" else rows[:, 4:]
        if not np.isfinite(scores).all():
            raise ValueError("a score is not finite")
        classes = np.argmax(scores, axis=1).astype(np.int32)
        best = scores[np.arange(classes.size), classes]
        half = rows[:, 2:4] / np.float32(2)
        scale = np.array([bound.width or 1, bound.height or 1], np.float32)
        boxes = np.concatenate([(rows[:, :2] - half) * scale, (rows[:, :2] + half) * scale], axis=1)
    kept = best >= np.float32(bound.threshold)
    if not np.isfinite(boxes[kept]).all():
        raise ValueError("a box is not finite")
    kept &= upright(boxes)
    return Candidates(boxes[kept], np.empty((int(kept.sum()), 0, 2), np.float32), best[kept], classes[kept])


def upright(boxes: Array) -> Array:
    """Whether neither width nor height is negative."""
    result: Array = (boxes[:, 2] >= boxes[:, 0]) & (boxes[:, 3] >= boxes[:, 1])
    return result


def call(bound: Params, value: ContractType) -> Call:
    """`yolo_boxes(boxes, classes, layout, width, height, threshold)`: float32 tensor -> candidates.

    `width` and `height` are factors of the coordinates: 1 where they are pixels already.
    """
    boxes, classes = _sizes(bound, value)
    arguments: tuple[tuple[str, Constant], ...] = (
        ("boxes", boxes),
        ("classes", classes),
        ("layout", Choice("yolo_layout", bound.layout)),
        ("width", Float32(float(bound.width or 1))),
        ("height", Float32(float(bound.height or 1))),
        ("threshold", Float32(float(np.float32(bound.threshold)))),
    )
    return Call("yolo_boxes", arguments, result_type(bound, value), candidate_bytes(boxes, 0))
