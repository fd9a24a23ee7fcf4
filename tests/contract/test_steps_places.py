"""Places mapped back to the original image, in exact rational arithmetic: detections, landmarks, mask."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from proof import FORMULA, seen
from result_cases import SIZE, TEXTS, ways
from step_cases import bind

from packager.model.contract import Candidates, Geometry, ImageSize, Move
from packager.steps import detections, landmarks, mask
from packager.steps.resize import _geometry

Place = tuple[Fraction, Fraction]
Back = Callable[[Place], Place]
TURNED_BACK: dict[int, Callable[[Fraction, Fraction, int, int], Place]] = {
    1: lambda x, y, w, h: (x, y),
    2: lambda x, y, w, h: (w - x, y),
    3: lambda x, y, w, h: (w - x, h - y),
    4: lambda x, y, w, h: (x, h - y),
    5: lambda x, y, w, h: (y, x),
    6: lambda x, y, w, h: (y, h - x),
    7: lambda x, y, w, h: (w - y, h - x),
    8: lambda x, y, w, h: (w - y, x),
}
"""From the upright image to the stored one of w x h, by EXIF orientation."""


def back(move: Move, w: int, h: int) -> tuple[Back, int, int]:
    """The way back through one move of an image of w x h, and the size after it; a resize says itself what it does."""
    if move.kind == "orient":
        turn = TURNED_BACK[move.a]
        return lambda place: turn(*place, w, h), *((h, w) if move.a > 4 else (w, h))
    if move.kind in ("crop_size", "crop_ratio"):
        a, b = move.a, move.b
        if move.kind == "crop_ratio":
            a, b = (w, w * b // a) if w * b <= h * a else (h * a // b, h)
        left, top = (w - a) // 2, (h - b) // 2
        return lambda place: (place[0] + left, place[1] + top), a, b
    if move.kind == "shorter":
        wide, high = (move.a, move.a * h // w) if w <= h else (move.a * w // h, move.a)
        return lambda place: (place[0] * w / wide, place[1] * h / high), wide, high
    g = _geometry.place(w, h, move.a, move.b, move.kind)

    def through(place: Place) -> Place:
        across, down = Fraction(g.box_width, g.width), Fraction(g.box_height, g.height)
        return (place[0] - g.x) * across + g.left, (place[1] - g.y) * down + g.top

    return through, move.a, move.b


def exact(geometry: Geometry, photo: ImageSize) -> Back:
    """The whole way back."""
    steps, w, h = [], photo.width, photo.height
    for move in geometry.moves:
        step, w, h = back(move, w, h)
        steps.append(step)

    def whole(place: Place) -> Place:
        for step in reversed(steps):
            place = step(place)
        return place

    return whole


def numbers(*values: Any) -> tuple[Fraction, ...]:
    return tuple(Fraction(float(value)) for value in values)


def near(step: str, found: Any, reference: Any) -> None:
    """Equal but for the last rounding."""
    wanted = np.array([[float(n) for n in row] for row in reference])
    seen(step, FORMULA, found, wanted)
    np.testing.assert_allclose(np.array(found).reshape(wanted.shape), wanted, rtol=1e-6, atol=1e-5)


def all_ways() -> Iterator[Any]:
    for name, geometry, photo in ways(8):
        yield pytest.param(geometry, photo, id=name)


@pytest.mark.parametrize(("geometry", "photo"), all_ways())
def test_boxes_and_points(geometry: Geometry, photo: ImageSize) -> None:
    rng = np.random.default_rng(photo.width)
    boxes = rng.uniform(-3, 27, (5, 4)).astype(np.float32)
    points = rng.uniform(-3, 27, (5, 2, 2)).astype(np.float32)
    scores = np.arange(5, 0, -1, dtype=np.float32) / np.float32(8)
    given = Candidates(boxes, points, scores, np.zeros(5, np.int32))
    way = exact(geometry, photo)
    bound = detections.placed(bind("detections", {"names": list(TEXTS)}), geometry)
    result = detections.apply(bound, given, photo).detections
    assert [each.score for each in result] == scores.tolist()
    sides = (photo.width, photo.height)
    for each, box, place in zip(result, boxes, points, strict=True):
        corners = [way(numbers(*box[:2])), way(numbers(*box[2:]))]  # type: ignore[arg-type]
        low, high = ([pick(corners[0][a], corners[1][a]) for a in (0, 1)] for pick in (min, max))
        clipped = [min(max(n, 0), sides[i % 2]) for i, n in enumerate((*low, *high))]
        near("detections", [[each.box.left, each.box.top, each.box.right, each.box.bottom]], [clipped])
        near("detections", [(p.x, p.y) for p in each.points], [way(numbers(*one)) for one in place])  # type: ignore[arg-type]
    for unit, side in (("pixels", (1, 1)), ("ratio", SIZE)):
        bound_marks = landmarks.placed(bind("landmarks", {"dimensions": 2, "unit": unit}), geometry)
        value = (points.reshape(1, -1, 2) / np.array(side, np.float32)).astype(np.float32)
        marks = landmarks.apply(bound_marks, value.reshape(1, -1), photo)
        wanted = [way((Fraction(float(x)) * side[0], Fraction(float(y)) * side[1])) for x, y in value[0]]
        near("landmarks", [(p.x, p.y) for p in marks.points], wanted)


@pytest.mark.parametrize(("geometry", "photo"), all_ways())
def test_the_cell_of_every_third_pixel(geometry: Geometry, photo: ImageSize) -> None:
    """A pixel whose centre lies on the border of two cells may be of either."""
    columns, rows = 6, 5
    grid = np.arange(columns * rows).reshape(1, rows, columns)
    scores = (np.arange(256) == grid[..., None]).astype(np.float32)[..., : columns * rows]
    result = mask.apply(mask.placed(bind("mask", {}), geometry), scores, photo)
    found = np.frombuffer(result.classes, np.uint8).reshape(photo.height, photo.width)
    way = exact(geometry, photo)
    origin, right, below = (way(numbers(*at)) for at in ((0, 0), (1, 0), (0, 1)))  # type: ignore[arg-type]
    wrong = 0
    for y, x in product(range(0, photo.height, 3), range(0, photo.width, 3)):
        cell = found[y, x]
        dx, dy = x + Fraction(1, 2) - origin[0], y + Fraction(1, 2) - origin[1]
        if right[0] != origin[0]:
            u, v = dx / (right[0] - origin[0]), dy / (below[1] - origin[1])
        else:
            u, v = dy / (right[1] - origin[1]), dx / (below[0] - origin[0])
        column, row = u * columns / SIZE[0], v * rows / SIZE[1]
        if column.denominator == 1 or row.denominator == 1:
            continue
        inside = 0 <= column < columns and 0 <= row < rows
        wrong += int(cell) != (int(row) * columns + int(column) if inside else 0)
    seen("mask", FORMULA, wrong, 0)
    assert wrong == 0
