"""Places mapped back to the original image: the pixel there is the one that the steps moved."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from proof import FORMULA, equal

from packager.model.contract import (
    MOVES,
    Candidates,
    CandidatesType,
    Chain,
    Detections,
    Geometry,
    ImageSize,
    ImageType,
    Mask,
    Move,
    StepMismatchError,
    StepUse,
    TensorsType,
    TensorType,
)
from packager.plan.geometry import geometry_of
from packager.registry import Catalog
from packager.steps import detections, embedding, landmarks, mask, values
from packager.steps._mapping import mapping, places

CATALOG = Catalog()


def made(*steps: tuple[str, dict[str, Any]]) -> Chain:
    uses, types = [], [ImageType(None, None, "rgb", 10_000)]
    for name, params in steps:
        module: Any = CATALOG.steps[name]
        uses.append(StepUse(name, module.Params.model_validate(params)))
        types.append(module.result_type(uses[-1].bound, types[-1]))
    return Chain("photo", "x", tuple(uses), tuple(types))


def numbered(w: int, h: int) -> NDArray[Any]:
    """Each pixel holds its own place: x, y, 0."""
    x, y = np.meshgrid(np.arange(w), np.arange(h))
    return np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)


CUTS: list[tuple[str, dict[str, Any]] | None] = [None, ("crop", {"ratio": "4:3"}), ("crop", {"width": 10, "height": 6})]


@pytest.mark.parametrize(("orientation", "cut", "fit"), product(range(1, 9), CUTS, ["stretch", "crop", "letterbox"]))
def test_moved_pixels_come_from_where_the_mapping_says(orientation: int, cut: Any, fit: str) -> None:
    resize = {"width": 12, "height": 9, "fit": fit, "like": "pillow", "method": "nearest", "fill": 255}
    steps = [("orient", {"orientation": orientation}), *([cut] if cut else []), ("resize", resize)]
    chain = made(*steps)
    for w, h in ((23, 14), (13, 31)):
        value = numbered(w, h)
        for use in chain.steps:
            value = CATALOG.steps[use.step].apply(use.bound, value)
        way = mapping(geometry_of(CATALOG, chain), ImageSize(w, h))
        x, y = np.meshgrid(np.arange(12), np.arange(9))
        fx, fy = places(way, (x + 0.5).astype(np.float32), (y + 0.5).astype(np.float32))
        inside = value[..., 2] == 0
        # The nearest pixel's centre is at most half a step of the resize away, and half a pixel.
        reach_x, reach_y = 0.51 + abs(way.scale_x) / 2, 0.51 + abs(way.scale_y) / 2
        assert inside.any()
        assert np.all(np.abs(fx - value[..., 0] - 0.5)[inside] < reach_x)
        assert np.all(np.abs(fy - value[..., 1] - 0.5)[inside] < reach_y)
        assert np.all((fx[inside] >= 0) & (fx[inside] <= w) & (fy[inside] >= 0) & (fy[inside] <= h))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_shorter_side_and_a_crop_are_mapped_back(orientation: int) -> None:
    shorter = {"shorter": 12, "like": "pillow", "method": "nearest"}
    chain = made(("orient", {"orientation": orientation}), ("resize", shorter), ("crop", {"width": 9, "height": 8}))
    for w, h in ((23, 14), (13, 31), (12, 12)):
        value = numbered(w, h)
        for use in chain.steps:
            value = CATALOG.steps[use.step].apply(use.bound, value)
        way = mapping(geometry_of(CATALOG, chain), ImageSize(w, h))
        x, y = np.meshgrid(np.arange(9), np.arange(8))
        fx, fy = places(way, (x + 0.5).astype(np.float32), (y + 0.5).astype(np.float32))
        assert np.all(np.abs(fx - value[..., 0] - 0.5) < 0.51 + abs(way.scale_x) / 2)
        assert np.all(np.abs(fy - value[..., 1] - 0.5) < 0.51 + abs(way.scale_y) / 2)


def test_native_code_knows_moves_by_their_place() -> None:
    assert MOVES == ("orient", "crop_size", "crop_ratio", "stretch", "crop", "letterbox", "shorter")
    assert Geometry("a").numbers() == (0, 1, 0)
    assert Geometry("a", (Move("letterbox", 4, 3),)).numbers() == (5, 4, 3)


STRETCH = Geometry("photo", (Move("orient", 6), Move("stretch", 4, 2)), 4, 2, 100)
"""Turned clockwise, so a photo of 10 x 20 is 20 x 10 upright, then 4 x 2: a pixel of the model is 5 x 5."""
PHOTO = ImageSize(10, 20)


def candidates(boxes: Any, scores: Any, classes: Any = None) -> Candidates:
    n = len(scores)
    points = np.zeros((n, 1, 2), np.float32)
    return Candidates(
        np.array(boxes, np.float32),
        points,
        np.array(scores, np.float32),
        np.array([0] * n if classes is None else classes, np.int32),
    )


def found(given: Candidates, top: int = 10) -> Detections:
    bound = detections.bind(detections.Params(names=("a", "b"), top=top), {})
    return detections.apply(detections.placed(bound, STRETCH), given, PHOTO)


def test_detections_are_best_first_and_inside_the_image() -> None:
    given = candidates([[0, 0, 1, 1], [-1, 1, 9, 2], [0, 0, 4, 2]], [0.5, 0.75, 0.5], [0, 1, 1])
    result = found(given).detections
    equal("detections", FORMULA, [(each.label, each.score) for each in result] == [("b", 0.75), ("a", 0.5), ("b", 0.5)])
    box = result[1].box
    equal("detections", FORMULA, (box.left, box.top, box.right, box.bottom) == (0.0, 15.0, 5.0, 20.0))
    box = result[0].box
    equal("detections", FORMULA, (box.left, box.top, box.right, box.bottom) == (5.0, 0.0, 10.0, 20.0))
    assert len(found(given, top=1).detections) == 1


@pytest.mark.parametrize("given", [candidates([[0, 0, np.inf, 1]], [1]), candidates([[0, 0, 1, 1]], [1], [2])])
def test_detections_refuse_what_has_no_meaning(given: Candidates) -> None:
    with pytest.raises(ValueError, match="candidate"):
        found(given)


def test_landmarks_of_a_ratio() -> None:
    bound = landmarks.bind(landmarks.Params(dimensions=3, unit="ratio", score="sigmoid"), {})
    bound = landmarks.placed(bound, STRETCH)
    points = np.array([[0.25, 0.5, 0.5, 1.0, 1.0, 0.0]], np.float32)
    result = landmarks.apply(bound, (points, np.zeros((1, 1), np.float32)), PHOTO)
    assert result.score == 0.5
    equal("landmarks", FORMULA, [(p.x, p.y, p.z) for p in result.points] == [(5.0, 15.0, 10.0), (10.0, 0.0, 0.0)])


def test_landmarks_refuse_other_tensors() -> None:
    bound = landmarks.bind(landmarks.Params(dimensions=3, unit="pixels"), {})
    tensor = TensorType("float32", (1, 7))
    for value in (tensor, TensorsType((TensorType("float32", (1, 6)), tensor)), ImageType(1, 1), CandidatesType(1)):
        with pytest.raises(StepMismatchError):
            landmarks.result_type(bound, value)


def mask_of(grid: Any, **params: Any) -> Mask:
    bound = mask.bind(mask.Params(**params), {})
    return mask.apply(mask.placed(bound, STRETCH), np.array(grid, np.float32), PHOTO)


def test_mask_takes_the_nearest_cell() -> None:
    scores = [[[[1, 0], [1, 1], [0, 2], [0, 0]], [[0, 0], [0, 0], [0, 0], [0, 1]]]]
    result = mask_of(scores)
    assert (result.width, result.height, result.labels) == (10, 20, ())
    grid = np.frombuffer(result.classes, np.uint8).reshape(20, 10)
    # Cell (2, 0) of the model is upright x 10..15, y 0..5; turned back: x 0..5, y 20-15..20-10.
    want = np.zeros((20, 10), np.uint8)
    want[5:10, 0:5] = 1
    want[0:5, 5:10] = 1
    equal("mask", FORMULA, np.array_equal(grid, want))


def test_mask_of_a_threshold_and_of_planes() -> None:
    planes = [[[[0, 0, 0, 0], [0, 0, 0, 0]], [[0, 0, 0.5, 0], [0, 0, 0, 0.25]]]]
    result = mask_of(planes, threshold=0.5, channel=1, layout="nchw", names=("no", "yes"))
    grid = np.frombuffer(result.classes, np.uint8).reshape(20, 10)
    assert result.labels == ("no", "yes")
    equal("mask", FORMULA, grid.sum() == 25 and bool(grid[5:10, 0:5].all()))


def test_what_a_crop_cut_off_is_of_class_0() -> None:
    bound = mask.placed(mask.bind(mask.Params(threshold=0.0), {}), Geometry("p", (Move("crop", 4, 4),), 4, 4, 100))
    result = mask.apply(bound, np.ones((1, 4, 4, 1), np.float32), ImageSize(10, 4))
    grid = np.frombuffer(result.classes, np.uint8).reshape(4, 10)
    equal("mask", FORMULA, np.array_equal(grid[0], [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]))


def test_embedding_has_length_1() -> None:
    result = embedding.apply(embedding.Params(), np.array([[3, 4, 0]], np.float32))
    equal("embedding", FORMULA, result.values == (np.float32(0.6), np.float32(0.8), 0.0))
    assert embedding.apply(embedding.Params(), np.zeros((1, 2), np.float32)).values == (0.0, 0.0)
    assert embedding.apply(embedding.Params(normalize=False), np.full((1, 1), 2, np.float32)).values == (2.0,)


def test_values_keep_their_shape() -> None:
    result = values.apply(values.Params(unit="kg"), np.array([[1, 2]], np.float32))
    equal("values", FORMULA, (result.values, result.shape, result.unit) == ((1.0, 2.0), (1, 2), "kg"))
    with pytest.raises(ValueError, match="finite"):
        values.apply(values.Params(), np.array([np.nan], np.float32))
