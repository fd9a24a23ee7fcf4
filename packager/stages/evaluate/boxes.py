"""Average precision at an intersection over union of 0.5, as the COCO evaluation defines it.

Source: COCO detection evaluation (https://cocodataset.org/#detection-eval) and its reference code: detections of a
class are taken best first and matched to the free labelled box that they overlap most; precision is made monotone and
read at the 101 recalls 0, 0.01, ..., 1. Differences: no crowds, no area ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import Box, Detection
from packager.model.evaluation import LabelledBox

THRESHOLD = 0.5
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 100
"""Detections of one class in one image that count; the best ones."""

Floats = NDArray[np.float64]


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes; 0 where both are empty."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    shared = max(width, 0.0) * max(height, 0.0)
    union = _area(a) + _area(b) - shared
    return shared / union if union > 0 else 0.0


def _area(box: Box) -> float:
    return max(box.right - box.left, 0.0) * max(box.bottom - box.top, 0.0)


def match(found: Sequence[Detection], known: Sequence[LabelledBox]) -> list[bool]:
    """Whether each detection (best first, of one class and image) hits a labelled box that none before it hit."""
    free = list(known)
    hits = []
    for detection in found:
        shares = [overlap(detection.box, labelled.box) for labelled in free]
        best = max(range(len(free)), key=lambda index: shares[index], default=-1)
        hit = best >= 0 and shares[best] >= THRESHOLD
        if hit:
            del free[best]
        hits.append(hit)
    return hits


@dataclass(frozen=True)
class ClassHits:
    """One class over all images, detections best first: the image of each and whether it hit; labels by image."""

    image: NDArray[np.int64]
    hit: NDArray[np.bool_]
    labelled: Floats


def hits_of(label: str, found: Sequence[Sequence[Detection]], known: Sequence[Sequence[LabelledBox]]) -> ClassHits:
    """Match the detections of one class, image by image. Equal scores keep the order of images and detections."""
    rows: list[tuple[float, int, bool]] = []
    for image, (detections, boxes) in enumerate(zip(found, known, strict=True)):
        own = sorted((d for d in detections if d.label == label), key=lambda d: -d.score)[:MOST]
        hits = match(own, [box for box in boxes if box.label == label])
        rows += [(d.score, image, hit) for d, hit in zip(own, hits, strict=True)]
    rows.sort(key=lambda row: -row[0])
    labelled = np.array([sum(box.label == label for box in boxes) for boxes in known], np.float64)
    return ClassHits(
        np.array([image for _, image, _ in rows], np.int64), np.array([hit for *_, hit in rows], np.bool_), labelled
    )


def average_precision(hits: ClassHits, weights: Floats) -> float:
    """101-point average precision of one class where image i counts `weights[i]` times; NaN without a label."""
    total = float(weights @ hits.labelled)
    if total == 0.0:
        return float("nan")
    counted = weights[hits.image]
    true = np.cumsum(counted * hits.hit)
    seen = np.cumsum(counted)
    precision = np.divide(true, seen, out=np.zeros_like(true), where=seen > 0)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    # Counts are whole numbers, so that recall k / total reaches the k-th hundredth exactly where it should.
    at = np.searchsorted(true, RECALLS * total - 1e-9 * total, side="left")
    reached = at < len(precision)
    return float(np.sum(precision[at[reached]]) / len(RECALLS))


def mean_average_precision(classes: Sequence[ClassHits], weights: Floats) -> float:
    """Mean over the classes that have a labelled box in the weighted images; NaN where none has."""
    values = [average_precision(hits, weights) for hits in classes]
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
