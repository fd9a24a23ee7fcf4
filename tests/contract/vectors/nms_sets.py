"""Seeded boxes for non-maximum suppression; numpy only, because the oracle's interpreter has nothing of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SEED = 614


@dataclass(frozen=True)
class Boxes:
    """`boxes` float32 [n, 4] left, top, right, bottom; `scores` float32 [n]; `classes` int32 [n]."""

    name: str
    boxes: Any
    scores: Any
    classes: Any
    threshold: float


def box_sets() -> Iterator[Boxes]:
    """Clusters of floats, ties on a coarse grid, and boxes that meet the threshold or have no area."""
    rng = np.random.default_rng(SEED)
    for index, (count, kinds) in enumerate(((1, 1), (2, 1), (17, 3), (60, 4), (120, 2), (250, 80))):
        for threshold in (0.0, 0.3, 0.45, 0.7):
            yield _clusters(rng, f"clusters-{index}-{threshold}", count, kinds, threshold)
            yield _grid(rng, f"grid-{index}-{threshold}", count, kinds, threshold)
    yield from _edges()


def digest(sets: Sequence[Boxes]) -> str:
    """sha256 of all arrays, little endian: whether two interpreters speak of the same boxes."""
    arrays = [array for each in sets for array in (each.boxes, each.scores, each.classes)]
    return hashlib.sha256(b"".join(a.astype(a.dtype.newbyteorder("<")).tobytes() for a in arrays)).hexdigest()


def _clusters(rng: Any, name: str, count: int, kinds: int, threshold: float) -> Boxes:
    """Boxes that lie around a few places, as a detector's do."""
    places = rng.uniform(20, 300, (max(1, count // 8), 2))[rng.integers(0, max(1, count // 8), count)]
    center = places + rng.normal(0, 6, (count, 2))
    half = rng.uniform(4, 40, (count, 2))
    boxes = np.concatenate([center - half, center + half], axis=1).astype(np.float32)
    scores = rng.uniform(0.2, 1, count).astype(np.float32)
    return Boxes(name, boxes, scores, rng.integers(0, kinds, count).astype(np.int32), threshold)


def _grid(rng: Any, name: str, count: int, kinds: int, threshold: float) -> Boxes:
    """Whole numbers and few scores: overlaps are simple fractions, and most scores are equal to others."""
    corner = rng.integers(0, 12, (count, 2))
    boxes = np.concatenate([corner, corner + rng.integers(0, 7, (count, 2))], axis=1).astype(np.float32)
    scores = (rng.integers(1, 5, count) / 8).astype(np.float32)
    return Boxes(name, boxes, scores, rng.integers(0, kinds, count).astype(np.int32), threshold)


def _edges() -> Iterator[Boxes]:
    """An overlap of exactly 1/2 or 1/3 (1/3 is no float), one point, and boxes as large as floats get."""
    pair = np.array([[0, 0, 4, 4], [0, 0, 4, 2]], np.float32)
    third = np.array([[0, 0, 2, 2], [1, 0, 3, 2]], np.float32)
    points = np.array([[3, 3, 3, 3], [3, 3, 3, 3], [3, 3, 9, 3], [0, 0, 6, 6]], np.float32)
    huge = np.array([[-3e38, -3e38, 3e38, 3e38], [-3e38, -3e38, 3e38, 3e38], [0, 0, 1e30, 1e30]], np.float32)
    tiny = np.array([[0, 0, 1e-30, 1e-30], [0, 0, 1e-30, 1e-30], [0, 0, 1e-20, 1e-20]], np.float32)
    for name, boxes, thresholds in (
        ("half", pair, (0.49, 0.5)),
        ("third", third, (1 / 3, float(np.float32(1 / 3)), 0.333)),
        ("points", points, (0.0, 0.5)),
        ("huge", huge, (0.0, 0.5)),
        ("tiny", tiny, (0.0, 0.5)),
        ("same", np.repeat(pair[:1], 5, axis=0), (0.0, 1.0)),
    ):
        for threshold in thresholds:
            scores = np.full(len(boxes), 0.5, np.float32)
            yield Boxes(f"{name}-{threshold}", boxes, scores, np.zeros(len(boxes), np.int32), threshold)
