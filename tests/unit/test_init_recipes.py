"""What `packager init` proposes for tensors of each kind."""

from __future__ import annotations

from typing import Any

import pytest

from packager.model.recipes import Known, Proposal
from packager.model.tensors import Activation, Quantization, TensorSpec
from packager.recipes import detections, image, landmarks, mask, scores, series, sound


def only(made: Any) -> Proposal:
    assert made
    first: Proposal = made[0]
    return first


def names(proposal: Proposal) -> list[str]:
    return [step.name for step in proposal.steps]


@pytest.mark.parametrize(
    ("size", "count", "strides"),
    [(128, 896, [8, 16, 16, 16]), (256, 896, [16, 32, 32, 32]), (192, 2016, [8, 16, 16, 16]),
     (224, 2254, [8, 16, 32, 32, 32]), (192, 2304, [4])],
)  # fmt: skip
def test_anchors_follow_from_the_number_of_boxes(size: int, count: int, strides: list[int]) -> None:
    picture = [TensorSpec("x", "float32", (1, size, size, 3))]
    heads = [TensorSpec("s", "float32", (1, count, 1)), TensorSpec("b", "float32", (1, count, 16))]
    made = only(detections.together(picture, heads, Known()))
    assert made.tensors == ("b", "s")
    assert made.steps[0].params is not None
    assert made.steps[0].params["strides"] == strides
    assert detections.together(picture, [TensorSpec("b", "float32", (1, count + 1, 16)), heads[0]], Known()) == ()


def test_points_with_a_score_and_masks_are_taken_together() -> None:
    picture = [TensorSpec("x", "float32", (1, 64, 64, 3))]
    two = [TensorSpec("flag", "float32", (1, 1)), TensorSpec("mesh", "float32", (1, 1, 1, 1404))]
    made = only(landmarks.together(picture, two, Known()))
    assert (made.tensors, made.steps[0].params) == (
        ("mesh", "flag"), {"dimensions": 3, "unit": "pixels", "score": "sigmoid"}
    )  # fmt: skip
    ended = Known(activations={"flag": Activation("sigmoid", "n")})
    assert (only(landmarks.together(picture, two, ended)).steps[0].params or {})["score"] == "as-is"
    one = only(mask.together(picture, [TensorSpec("m", "float32", (1, 64, 64, 1))], Known()))
    assert one.steps[0].params == {"threshold": 0.5}
    assert mask.together(picture, [TensorSpec("m", "float32", (1, 32, 64, 1))], Known()) == ()


def test_sound_and_series_are_told_from_pictures() -> None:
    speech = only(sound.proposals(TensorSpec("x", "float32", (1, 49, 40, 1)), Known()))
    assert names(speech) == ["micro_frontend", "scale", "reshape"]
    stored = TensorSpec("x", "int8", (1, 1960), Quantization(0.1, -128))
    assert names(only(sound.proposals(stored, Known()))) == ["micro_frontend", "reshape", "quantize"]
    assert sound.proposals(TensorSpec("x", "float32", (1, 64, 64, 3)), Known()) == ()
    wand = only(series.proposals(TensorSpec("x", "float32", (1, 128, 3, 1)), Known()))
    assert names(wand) == ["window", "reshape"]
    assert wand.accepts == {"series": {"channels": 3, "max": 1000}}
    assert series.proposals(TensorSpec("x", "float32", (1, 3, 128)), Known()) == ()


def test_an_integer_picture_is_stored_by_its_own_scale() -> None:
    """Of the usual ranges the one that fills the integers comes first."""
    for scale, zero, words in ((1 / 255, -128, "0..1"), (1 / 127.5, 0, "-1..1"), (1.0, -128, "0..255")):
        tensor = TensorSpec("x", "int8", (1, 64, 48, 3), Quantization(scale, zero))
        first = only(image.proposals(tensor, Known()))
        assert first.summary.startswith(words)
        assert first.steps[-1].params == {"scale": scale, "zero_point": zero}
    ends = scores.proposals(TensorSpec("y", "int8", (1, 2), Quantization(1 / 256, -128)), Known(labels=("a", "b")))
    assert [step.name for step in ends[0].steps] == ["dequantize", "softmax", "labels"]


def test_few_classes_without_labels_get_names_to_replace() -> None:
    ended = Known(activations={"y": Activation("softmax", "n")})
    (made,) = scores.proposals(TensorSpec("y", "float32", (1, 3)), ended)
    assert made.steps[0].params == {"names": ["class_0", "class_1", "class_2"], "top": 3}
    assert made.steps[0].guess
    assert scores.proposals(TensorSpec("y", "float32", (1, 1000)), ended) == ()
