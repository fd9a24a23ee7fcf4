"""Boxes and key points of an SSD head, as MediaPipe decodes them."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import BeforeValidator, Field, model_validator

from packager.core.constants import Choice, Constant, Float32
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
from packager.steps.ssd_boxes._anchors import Layer, grid, layers
from packager.steps.ssd_boxes._exp import exp, sigmoid

SUMMARY = "boxes, key points and best class of an SSD head with MediaPipe's anchors; those below the threshold go"
NEEDS: tuple[str, ...] = ("nms",)
LARGEST = float(np.finfo(np.float32).max)

Side = Annotated[int, Field(gt=0, le=8192)]
Positive = Annotated[float, Field(gt=0, le=1e6)]
Offset = Annotated[float, Field(ge=0, le=1)]


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


class Params(StepParams):
    """Options of MediaPipe's SsdAnchorsCalculator and TensorsToDetectionsCalculator, under their names there."""

    width: Side = Field(description="Width of the model's input in pixels (`input_size_width`).")
    height: Side = Field(description="Height of the model's input in pixels (`input_size_height`).")
    strides: Annotated[
        tuple[Side, ...], BeforeValidator(_listed, json_schema_input_type=list[int]), Field(min_length=1, max_length=64)
    ] = Field(description="Stride of each layer; its number is `num_layers`.")
    min_scale: Positive = Field(description="Scale of the first layer's anchors.")
    max_scale: Positive = Field(description="Scale of the last layer's anchors.")
    aspect_ratios: Annotated[
        tuple[Positive, ...],
        BeforeValidator(_listed, json_schema_input_type=list[float]),
        Field(min_length=1, max_length=64),
    ] = Field(description="Ratios of width to height, an anchor for each.")
    interpolated_scale_aspect_ratio: Annotated[float, Field(ge=0, le=1e6)] = Field(
        default=1.0, description="Ratio of one more anchor between this layer's scale and the next; 0: none."
    )
    reduce_boxes_in_lowest_layer: bool = Field(
        default=False, description="The first layer has three fixed anchors: scale 0.1, and ratios 2 and 0.5."
    )
    fixed_anchor_size: bool = Field(default=False, description="All anchors are as large as the model's input.")
    anchor_offset_x: Offset = Field(default=0.5, description="Centre of an anchor in its cell.")
    anchor_offset_y: Offset = Field(default=0.5, description="Centre of an anchor in its cell.")
    x_scale: Positive = Field(description="The model's x is divided by it.")
    y_scale: Positive = Field(description="The model's y is divided by it.")
    w_scale: Positive = Field(description="The model's width is divided by it.")
    h_scale: Positive = Field(description="The model's height is divided by it.")
    reverse_output_order: bool = Field(
        default=False, description="The model gives x, y, w, h and key points x, y; else y, x, h, w and y, x."
    )
    apply_exponential_on_box_size: bool = Field(default=False, description="Width and height are logarithms.")
    sigmoid_score: bool = Field(default=False, description="The model gives logits.")
    score_clipping_thresh: Positive | None = Field(
        default=None, description="Logits are clipped to this size before the sigmoid."
    )
    threshold: Annotated[float, Field(ge=0, le=1)] = Field(description="Least score (`min_score_thresh`).")

    @model_validator(mode="after")
    def _clipping(self) -> Params:
        if self.score_clipping_thresh is not None and not self.sigmoid_score:
            raise ValueError("`score_clipping_thresh` needs `sigmoid_score: true`")
        return self


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Two float32 tensors, [1, n, 4 + 2 * points] and [1, n, classes] -> candidates, n for each of the anchors."""
    boxes, _ = _tensors(bound, value)
    return CandidatesType(boxes.shape[1], (boxes.shape[2] - 4) // 2)


def _tensors(bound: Params, value: ContractType) -> tuple[TensorType, TensorType]:
    """The boxes' and the scores' tensor."""
    if not isinstance(value, TensorsType) or len(value.tensors) != 2:
        raise StepMismatchError(
            f"`ssd_boxes` takes two tensors, but the value before it is {value}",
            "float32[1, n, 4 + 2 * points] and float32[1, n, classes]",
            "name both under `tensors:`, the boxes first",
        )
    boxes, scores = value.tensors
    for tensor in value.tensors:
        if tensor.dtype != "float32" or len(tensor.shape) != 3 or tensor.shape[0] != 1:
            raise StepMismatchError(f"`ssd_boxes` cannot take {tensor}", "float32[1, n, m]")
    if boxes.shape[2] < 4 or boxes.shape[2] % 2 or boxes.shape[1] != scores.shape[1]:
        hint = "the boxes come first under `tensors:`" if scores.shape[2] >= 4 else ""
        raise StepMismatchError(
            f"{boxes} and {scores} are not boxes and scores", "[1, n, 4 + 2 * points], [1, n, classes]", hint
        )
    count = sum(layer.count for layer in layers(bound))
    if count != boxes.shape[1]:
        raise StepMismatchError(
            f"these parameters make {count} anchors, but the model gives {boxes.shape[1]} boxes",
            f"{boxes.shape[1]} anchors",
            "check `strides`, `aspect_ratios` and `interpolated_scale_aspect_ratio`",
        )
    if bound.sigmoid_score and scores.activation is not None:
        raise StepMismatchError(
            f"the model's scores already end in {scores.activation.kind} (node `{scores.activation.node}`)",
            "logits",
            "set `sigmoid_score: false`",
        )
    return boxes, scores


def apply(bound: Params, value: tuple[Array, Array]) -> Candidates:
    """float32 [1, n, 4 + 2 * points], float32 [1, n, classes] -> candidates in index order, pixels.

    The arithmetic is that of TensorsToDetectionsCalculator, in single float32 operations: centre = x / x_scale *
    anchor width + anchor x; size = w / w_scale * anchor width, or exp(w / w_scale) * anchor width; left = centre -
    size / 2, right = centre + size / 2; all times the input's width; points like centres; y alike. The class is that of
    the best logit (clipped), equal ones by lower index; its `sigmoid` must be at least (float)threshold. A kept box of
    negative width or height is left out. ValueError where a score, or a kept box or point, is not finite.
    """
    if not np.isfinite(value[1]).all():
        raise ValueError("a score is not finite")
    scores, classes = best_scores(bound, value[1][0])
    corners, points = decode(bound, value[0][0])
    kept = scores >= np.float32(bound.threshold)
    if not (np.isfinite(corners[kept]).all() and np.isfinite(points[kept]).all()):
        raise ValueError("a box is not finite")
    kept &= (corners[:, 2] >= corners[:, 0]) & (corners[:, 3] >= corners[:, 1])
    return Candidates(corners[kept], points[kept], scores[kept], classes[kept])


def best_scores(bound: Params, raw: Array) -> tuple[Array, Array]:
    """float32 [n, classes] -> float32 [n], int32 [n]: score and class."""
    if bound.score_clipping_thresh is not None:
        limit = np.float32(bound.score_clipping_thresh)
        raw = np.clip(raw, -limit, limit)
    classes = np.argmax(raw, axis=1).astype(np.int32)
    best = raw[np.arange(classes.size), classes]
    return sigmoid(best) if bound.sigmoid_score else best, classes


def decode(bound: Params, raw: Array) -> tuple[Array, Array]:
    """float32 [n, 4 + 2 * points] -> float32 [n, 4] left, top, right, bottom and float32 [n, points, 2], in pixels."""
    anchors = grid(layers(bound), bound.anchor_offset_x, bound.anchor_offset_y)
    pairs = raw.reshape(raw.shape[0], -1, 2)
    if not bound.reverse_output_order:
        pairs = pairs[:, :, ::-1]
    scale = np.array([bound.x_scale, bound.y_scale], np.float32)
    side = np.array([bound.width, bound.height], np.float32)
    with np.errstate(all="ignore"):
        places = pairs / scale * anchors[:, None, 2:] + anchors[:, None, :2]
        size = pairs[:, 1] / np.array([bound.w_scale, bound.h_scale], np.float32)
        if bound.apply_exponential_on_box_size:
            size = exp(size).astype(np.float32)
        half = size * anchors[:, 2:] / np.float32(2)
        center = places[:, 0]
        corners = np.concatenate([(center - half) * side, (center + half) * side], axis=1)
        return corners, places[:, 2:] * side


def call(bound: Params, value: ContractType) -> Call:
    """`ssd_boxes(columns, rows, sizes, anchor_widths, ..., threshold)`: boxes and scores -> candidates.

    The anchors are not stored: the i-th grid has `columns[i]` x `rows[i]` cells with `sizes[i]` anchors each, whose
    widths and heights stand one after the other.
    """
    boxes, scores = _tensors(bound, value)
    points = (boxes.shape[2] - 4) // 2
    clip = bound.score_clipping_thresh
    arguments: tuple[tuple[str, Constant], ...] = (
        *_grids(layers(bound)),
        ("offset", _floats(bound.anchor_offset_x, bound.anchor_offset_y)),
        ("scale", _floats(bound.x_scale, bound.y_scale, bound.w_scale, bound.h_scale)),
        ("input_size", (bound.width, bound.height)),
        ("points", points),
        ("classes", scores.shape[2]),
        ("order", Choice("box_order", "xywh" if bound.reverse_output_order else "yxhw")),
        ("exponential", bound.apply_exponential_on_box_size),
        ("sigmoid", bound.sigmoid_score),
        ("clip", Float32(LARGEST if clip is None else float(np.float32(clip)))),
        ("threshold", Float32(float(np.float32(bound.threshold)))),
    )
    return Call("ssd_boxes", arguments, result_type(bound, value), candidate_bytes(boxes.shape[1], points))


def _grids(found: tuple[Layer, ...]) -> tuple[tuple[str, Constant], ...]:
    sizes = [size for layer in found for size in layer.sizes]
    return (
        ("columns", tuple(layer.columns for layer in found)),
        ("rows", tuple(layer.rows for layer in found)),
        ("sizes", tuple(len(layer.sizes) for layer in found)),
        ("anchor_widths", _floats(*(width for width, _ in sizes))),
        ("anchor_heights", _floats(*(height for _, height in sizes))),
    )


def _floats(*values: float) -> tuple[Float32, ...]:
    return tuple(Float32(float(np.float32(value))) for value in values)
