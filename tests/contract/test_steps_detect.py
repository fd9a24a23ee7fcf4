"""yolo_boxes and center_boxes: formulas and refusals."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from proof import FORMULA, seen

from packager.core.constants import Choice, Float32
from packager.model.contract import CandidatesType, StepMismatchError, TensorsType, TensorType
from packager.steps import center_boxes, yolo_boxes

F32 = np.float32


def yolo(layout: str, threshold: float = 0.25, **more: Any) -> yolo_boxes.Params:
    return yolo_boxes.Params.model_validate({"layout": layout, "threshold": threshold, **more})


def tensors(*shapes: tuple[int, ...], dtype: str = "float32") -> TensorsType:
    return TensorsType(tuple(TensorType(dtype, shape) for shape in shapes))


HEADS = tensors((1, 896, 16), (1, 896, 1))

# YOLO

HEAD = st.lists(
    st.tuples(
        *[st.floats(-50, 600, width=32)] * 2, *[st.floats(-5, 90, width=32)] * 2, *[st.floats(0, 1, width=32)] * 4
    ),
    min_size=8,
    max_size=12,
)


@given(HEAD, st.sampled_from([0.0, 0.25, 0.5]), st.booleans())
@settings(derandomize=True, max_examples=80, deadline=None)
def test_yolo_v5(rows: Any, threshold: float, fractions: bool) -> None:
    """Box by box, in single float32 operations."""
    size = {"width": 640, "height": 480} if fractions else {}
    found = yolo_boxes.apply(yolo("v5", threshold, **size), np.array([rows], F32))
    expected = []
    for x, y, w, h, objectness, *classes in np.array(rows, F32):
        scores = [objectness * c for c in classes]
        best = max(range(3), key=lambda c, scores=scores: (scores[c], -c))
        corners = [x - w / F32(2), y - h / F32(2), x + w / F32(2), y + h / F32(2)]
        corners = [c * F32(s) for c, s in zip(corners, [640, 480] * 2 if fractions else [1] * 4, strict=True)]
        if scores[best] >= F32(threshold) and corners[2] >= corners[0] and corners[3] >= corners[1]:
            expected.append((*corners, scores[best], best))
    table = np.array(expected, np.float64).reshape(-1, 6)
    seen("yolo_boxes", FORMULA, np.c_[found.boxes, found.scores], table[:, :5])
    np.testing.assert_array_equal(found.boxes, table[:, :4])
    np.testing.assert_array_equal(found.scores, table[:, 4])
    np.testing.assert_array_equal(found.classes, table[:, 5])
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.classes.dtype == np.int32


@given(HEAD)
@settings(derandomize=True, max_examples=50, deadline=None)
def test_yolo_v8_is_v5_of_certain_objects_turned_round(rows: Any) -> None:
    value = np.array([rows], F32)
    value[..., 4] = 1
    found = yolo_boxes.apply(yolo("v8"), np.ascontiguousarray(np.delete(value, 4, axis=2).transpose(0, 2, 1)))
    expected = yolo_boxes.apply(yolo("v5"), value)
    for name in ("boxes", "points", "scores", "classes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_yolo_call() -> None:
    call = yolo_boxes.call(yolo("v8", 0.25), TensorType("float32", (1, 84, 8400)))
    assert call.function == "yolo_boxes"
    assert dict(call.arguments) == {
        "boxes": 8400,
        "classes": 80,
        "layout": Choice("yolo_layout", "v8"),
        "width": Float32(1.0),
        "height": Float32(1.0),
        "threshold": Float32(0.25),
    }
    assert call.output == CandidatesType(8400, 0)
    assert call.workspace == 8400 * 24
    rows = yolo_boxes.call(yolo("v5", width=640, height=480), TensorType("float32", (1, 25200, 85)))
    assert (dict(rows.arguments)["classes"], dict(rows.arguments)["height"]) == (80, Float32(480.0))


@pytest.mark.parametrize(
    ("layout", "value", "hint"),
    [
        ("v5", TensorType("float32", (1, 84, 8400)), "is it `layout: v8`?"),
        ("v8", TensorType("float32", (1, 25200, 85)), "is it `layout: v5`?"),
        ("v5", TensorType("float32", (1, 100, 5)), ""),
        ("v8", TensorType("float32", (84, 8400)), ""),
        ("v8", TensorType("int8", (1, 84, 8400)), ""),
        ("v8", HEADS, ""),
    ],
)
def test_yolo_refuses(layout: str, value: Any, hint: str) -> None:
    with pytest.raises(StepMismatchError) as fault:
        yolo_boxes.result_type(yolo(layout), value)
    assert fault.value.hint == hint


@pytest.mark.parametrize("bad", [{"width": 640}, {"layout": "v6"}, {"threshold": -1.0}])
def test_yolo_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        yolo_boxes.Params.model_validate({"layout": "v5", "threshold": 0.25, **bad})


@pytest.mark.parametrize(("place", "text"), [(0, "box"), (2, "box"), (4, "score"), (6, "score")])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(place: int, text: str, bad: float) -> None:
    value = np.full((1, 9, 8), 0.75, F32)
    value[0, 4, place] = bad
    with pytest.raises(ValueError, match=f"a {text} is not finite"):
        yolo_boxes.apply(yolo("v5"), value)


# Heat maps of centres

MAPS = tensors((1, 1, 64, 80), (1, 2, 64, 80), (1, 2, 64, 80), (1, 10, 64, 80))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2]), st.sampled_from([0, 5]), st.sampled_from([0.0, 0.5, 0.9]))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_center_boxes(seed: int, classes: int, points: int, threshold: float) -> None:
    """Cell by cell in float64, as deface's `decode` does it; the difference is float32's."""
    rng = np.random.default_rng(seed)
    sizes, offsets = rng.normal(1, 1.5, (2, 1, 2, 3, 5)).astype(F32)
    heat = rng.uniform(0, 1, (1, classes, 3, 5)).astype(F32)
    places = rng.uniform(0, 1, (1, 2 * points, 3, 5)).astype(F32)
    found = center_boxes.apply(center_boxes.Params(stride=4, threshold=threshold), (heat, sizes, offsets, places))
    expected = []
    for y, x in np.ndindex(3, 5):
        best = max(range(classes), key=lambda c, y=y, x=x: (heat[0, c, y, x], -c))
        height, width = (4 * math.exp(one) for one in sizes[0, :, y, x])
        left = min(max((x + float(offsets[0, 1, y, x]) + 0.5) * 4 - width / 2, 0), 20)
        top = min(max((y + float(offsets[0, 0, y, x]) + 0.5) * 4 - height / 2, 0), 12)
        pairs = places[0, :, y, x].reshape(-1, 2)
        spots = [(float(b) * width + left, float(a) * height + top) for a, b in pairs]
        box = (left, top, min(left + width, 20), min(top + height, 12))
        if heat[0, best, y, x] >= F32(threshold):
            expected.append((box, spots, heat[0, best, y, x], best))
    assert len(expected) == len(found.scores)
    assert found.points.shape == (len(expected), points, 2)
    seen("center_boxes", FORMULA, found.boxes, [box for box, _, _, _ in expected])
    for index, (box, spots, score, best) in enumerate(expected):
        np.testing.assert_allclose(found.boxes[index], box, rtol=2e-6, atol=1e-5)
        np.testing.assert_allclose(found.points[index], np.reshape(spots, (points, 2)), rtol=2e-6, atol=1e-5)
        assert (found.scores[index], found.classes[index]) == (score, best)


def test_center_call() -> None:
    call = center_boxes.call(center_boxes.Params(stride=4, threshold=0.5), MAPS)
    assert call.function == "center_boxes"
    assert dict(call.arguments) == {
        "columns": 80,
        "rows": 64,
        "classes": 1,
        "points": 5,
        "stride": Float32(4.0),
        "threshold": Float32(0.5),
    }
    assert call.output == CandidatesType(5120, 5)
    assert call.workspace == 5120 * (16 + 40 + 8)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (HEADS, "takes four tensors"),
        (tensors((1, 1, 64, 80), (1, 2, 64, 80), (1, 2, 64, 80), (1, 10, 64)), r"cannot take float32\[1,10,64\]"),
        (tensors((1, 1, 64, 80), (1, 2, 64, 80), (1, 2, 64, 80), (2, 10, 64, 80)), "cannot take"),
        (tensors((1, 2, 64, 80), (1, 1, 64, 80), (1, 2, 64, 80), (1, 10, 64, 80)), "are not a heat map"),
        (tensors((1, 1, 64, 80), (1, 2, 64, 80), (1, 2, 64, 80), (1, 9, 64, 80)), "are not a heat map"),
        (tensors((1, 1, 32, 80), (1, 2, 64, 80), (1, 2, 64, 80), (1, 10, 64, 80)), "are not a heat map"),
    ],
)
def test_center_refuses(value: Any, text: str) -> None:
    with pytest.raises(StepMismatchError, match=text):
        center_boxes.result_type(center_boxes.Params(stride=4, threshold=0.5), value)


@pytest.mark.parametrize("bad", [{"stride": 0}, {"threshold": 1.5}])
def test_center_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        center_boxes.Params.model_validate({"stride": 4, "threshold": 0.5, **bad})
