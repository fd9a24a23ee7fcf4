"""nms against torchvision's numbers, its definition, and refusals."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from nms_sets import box_sets, digest
from proof import FORMULA, equal

from packager.core.constants import Float32
from packager.model.contract import Candidates, CandidatesType, StepMismatchError, TensorsType, TensorType
from packager.steps import nms
from packager.steps.nms import float32_below

VECTORS = Path(__file__).parent / "vectors"
F32 = np.float32
HEADS = TensorsType((TensorType("float32", (1, 896, 16)), TensorType("float32", (1, 896, 1))))


def numbered(boxes: Any, scores: Any, classes: Any) -> Candidates:
    """Candidates whose one point tells their index."""
    index = np.arange(len(scores), dtype=F32)
    return Candidates(boxes, np.stack([index, index], axis=1)[:, None], scores, classes)


def indices(found: Candidates) -> list[int]:
    return [int(x) for x in found.points[:, 0, 0]]


def test_nms_keeps_what_torchvision_keeps() -> None:
    """torchvision 0.14.1 of Debian, by `torchvision_oracle.py`."""
    seen = json.loads((VECTORS / "torchvision_nms.json").read_text("utf-8"))
    sets = list(box_sets())
    assert digest(sets) == seen["sha256"], "the boxes are others than torchvision saw: run torchvision_oracle.py"
    assert len(sets) == len(seen["sets"]) > 50
    for each, row in zip(sets, seen["sets"], strict=True):
        assert each.name == row["name"]
        value = numbered(each.boxes, each.scores, each.classes)
        for per_class, kept in ((False, row["nms"]), (True, row["batched"])):
            bound = nms.Params(iou_threshold=each.threshold, max_results=1000, per_class=per_class)
            equal("nms", f"torchvision {seen['versions']['torchvision']}", indices(nms.apply(bound, value)) == kept)


BOXES = st.lists(
    st.tuples(*[st.integers(0, 6)] * 4, st.integers(1, 4), st.integers(0, 2)),  # x, y, w, h, score, class
    min_size=0,
    max_size=14,
)


@given(BOXES, st.sampled_from([0.0, 0.2, 1 / 3, 0.5, 0.75, 1.0]), st.booleans(), st.integers(1, 15))
@settings(derandomize=True, max_examples=150, deadline=None)
def test_nms_is_greedy_by_score_then_index(rows: Any, threshold: float, per_class: bool, most: int) -> None:
    """Against the definition, in exact integer arithmetic."""
    data = np.array(rows, np.int64).reshape(-1, 6)
    boxes = np.concatenate([data[:, :2], data[:, :2] + data[:, 2:4]], axis=1)
    kept: list[int] = []
    for i in sorted(range(len(data)), key=lambda i: (-data[i, 4], i)):
        rivals = [k for k in kept if not per_class or data[k, 5] == data[i, 5]]
        if not any(overlap_above(boxes[k], boxes[i], threshold) for k in rivals):
            kept.append(i)
    value = numbered(boxes.astype(F32), (data[:, 4] / 8).astype(F32), data[:, 5].astype(np.int32))
    bound = nms.Params(iou_threshold=threshold, max_results=most, per_class=per_class)
    equal("nms", FORMULA, indices(nms.apply(bound, value)) == kept[:most])


def overlap_above(one: Any, other: Any, threshold: float) -> bool:
    sides = [max(0, int(min(one[2 + a], other[2 + a]) - max(one[a], other[a]))) for a in (0, 1)]
    inter = sides[0] * sides[1]
    areas = [int((b[2] - b[0]) * (b[3] - b[1])) for b in (one, other)]
    union = sum(areas) - inter
    return union > 0 and float(F32(inter) / F32(union)) > threshold


@given(st.floats(0, 1), st.integers(-2, 2))
@settings(derandomize=True, deadline=None)
def test_a_float32_threshold_decides_as_the_float64_does(threshold: float, steps: int) -> None:
    limit = float32_below(threshold)
    value = limit
    for _ in range(abs(steps)):
        value = np.nextafter(value, F32(math.copysign(2, steps)))
    assert (float(value) > threshold) == bool(value > limit)


def test_nms_call() -> None:
    call = nms.call(nms.Params(iou_threshold=0.3, max_results=100), CandidatesType(896, 6))
    assert call.function == "nms"
    assert dict(call.arguments) == {
        "capacity": 896,
        "iou_threshold": Float32(float(np.nextafter(F32(0.3), F32(0)))),  # the nearest float32 of 0.3 is above it
        "max_results": 100,
        "per_class": True,
    }
    assert call.output == CandidatesType(100, 6)
    assert call.workspace == 896 + 1600 + 4800 + 400 + 400
    few = nms.call(nms.Params(iou_threshold=0.3, max_results=100), CandidatesType(9, 0))
    assert dict(few.arguments)["max_results"] == 9
    assert few.output == CandidatesType(9, 0)


@pytest.mark.parametrize("value", [TensorType("float32", (1, 9, 6)), HEADS])
def test_nms_refuses(value: Any) -> None:
    with pytest.raises(StepMismatchError, match="works on detection candidates") as fault:
        nms.result_type(nms.Params(iou_threshold=0.5, max_results=5), value)
    assert "ssd_boxes" in fault.value.hint


@pytest.mark.parametrize("bad", [{"iou_threshold": 1.5}, {"max_results": 0}, {"per_class": "yes"}, {"iou": 1}])
def test_nms_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        nms.Params.model_validate({"iou_threshold": 0.5, "max_results": 5, **bad})
