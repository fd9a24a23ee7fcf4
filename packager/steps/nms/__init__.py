"""Non-maximum suppression: of boxes that overlap, the best one stays."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from packager.core.constants import Constant, Float32
from packager.model.contract import Call, Candidates, CandidatesType, ContractType, StepMismatchError, StepParams
from packager.steps._values import Array, aligned

SUMMARY = "drops candidates that overlap a better one, as torchvision's `nms` and `batched_nms`; best first"


class Params(StepParams):
    """How much two boxes may overlap, and how many stay."""

    iou_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        description="A box goes where its intersection over union with a better one is greater."
    )
    max_results: Annotated[int, Field(gt=0, le=65536)] = Field(description="How many of the best stay at most.")
    per_class: bool = Field(
        default=True, description="Whether only boxes of the same class suppress each other (`batched_nms`)."
    )


def result_type(bound: Params, value: ContractType) -> ContractType:
    """Candidates -> at most `max_results` candidates."""
    candidates = need_candidates("nms", value)
    return CandidatesType(min(candidates.count, bound.max_results), candidates.points)


def need_candidates(step: str, value: ContractType) -> CandidatesType:
    """The value as candidates, or `StepMismatchError`."""
    if not isinstance(value, CandidatesType):
        raise StepMismatchError(
            f"`{step}` works on detection candidates, but the value before it is {value}",
            "candidates",
            "put a decoder such as `ssd_boxes` or `yolo_boxes` before it",
        )
    return value


def apply(bound: Params, value: Candidates) -> Candidates:
    """Candidates in any order -> those that stay, best first, equal scores by lower index.

    Greedy: the best of what is left stays, and all (of its class) go whose overlap with it is greater than the
    threshold. All in float32, in the order of operations of torchvision's CPU kernel (0.14.1): areas, the
    intersection's sides (at least 0), `inter / (area_i + area_j - inter)`; NaN (two empty boxes) suppresses nothing.
    """
    limit = float32_below(bound.iou_threshold)
    alive = np.ones(value.scores.size, np.bool_)
    kept: list[int] = []
    while len(kept) < bound.max_results and alive.any():
        best = int(np.argmax(np.where(alive, value.scores, -np.inf)))
        kept.append(best)
        alive[best] = False
        rivals = alive & (value.classes == value.classes[best]) if bound.per_class else alive
        alive = alive & ~(rivals & (overlaps(value.boxes, best) > limit))
    order = np.array(kept, np.int64)
    return Candidates(value.boxes[order], value.points[order], value.scores[order], value.classes[order])


def overlaps(boxes: Array, index: int) -> Array:
    """float32 [n, 4] -> float32 [n]: intersection over union of each box with one of them."""
    one = boxes[index]
    with np.errstate(all="ignore"):
        area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        width = np.minimum(one[2], boxes[:, 2]) - np.maximum(one[0], boxes[:, 0])
        height = np.minimum(one[3], boxes[:, 3]) - np.maximum(one[1], boxes[:, 1])
        zero = np.float32(0)
        inter = np.where(width > zero, width, zero) * np.where(height > zero, height, zero)
        result: Array = inter / (area[index] + area - inter)
    return result


def float32_below(value: float) -> np.float32:
    """The largest float32 that is not greater: `x > value` in float64 is `x > float32_below(value)` for a float32 x."""
    near = np.float32(value)
    return near if float(near) <= value else np.nextafter(near, np.float32(-np.inf))


def call(bound: Params, value: ContractType) -> Call:
    """`nms(capacity, iou_threshold, max_results, per_class)`: candidates (at most `capacity`) -> candidates."""
    candidates = need_candidates("nms", value)
    results = min(candidates.count, bound.max_results)
    arguments: tuple[tuple[str, Constant], ...] = (
        ("capacity", candidates.count),
        ("iou_threshold", Float32(float(float32_below(bound.iou_threshold)))),
        ("max_results", results),
        ("per_class", bound.per_class),
    )
    workspace = aligned(candidates.count) + candidate_bytes(results, candidates.points)
    return Call("nms", arguments, result_type(bound, value), workspace)


def candidate_bytes(count: int, points: int) -> int:
    """Arena bytes of the four arrays of `count` candidates."""
    return aligned(16 * count) + aligned(8 * count * points) + 2 * aligned(4 * count)
