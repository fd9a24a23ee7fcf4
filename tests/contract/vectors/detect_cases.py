"""Group `detect`: boxes of SSD and YOLO heads and of heat maps, non-maximum suppression, places in the original."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from nms_sets import Boxes, box_sets
from result_cases import places
from step_cases import REFUSED, RNG_SEED, Case, case, type_of

from packager.model.contract import Candidates, CandidatesType

FACE: dict[str, Any] = {
    "width": 128,
    "height": 128,
    "strides": [8, 16, 16, 16],
    "min_scale": 0.1484375,
    "max_scale": 0.75,
    "aspect_ratios": [1.0],
    "fixed_anchor_size": True,
    "x_scale": 128.0,
    "y_scale": 128.0,
    "w_scale": 128.0,
    "h_scale": 128.0,
    "reverse_output_order": True,
    "sigmoid_score": True,
    "score_clipping_thresh": 100.0,
}
"""Options of MediaPipe's face_detection_front: 896 anchors, 6 key points."""
OBJECTS: dict[str, Any] = {
    "width": 75,
    "height": 50,
    "strides": [16, 32],
    "min_scale": 0.2,
    "max_scale": 0.95,
    "aspect_ratios": [1.0, 2.0, 0.5, 3.0, 0.3333],
    "reduce_boxes_in_lowest_layer": True,
    "x_scale": 10.0,
    "y_scale": 10.0,
    "w_scale": 5.0,
    "h_scale": 5.0,
    "apply_exponential_on_box_size": True,
    "sigmoid_score": True,
}
"""Like an object detector's: 5 x 4 x 3 + 3 x 2 x 6 = 96 anchors that differ in size."""
EDGES = (np.nan, np.inf, -np.inf, 3e38, -3e38, 0.0, -0.0)


def detect() -> list[Case]:
    """All cases, ids unique."""
    boxes = [*_faces(), *_objects(), *_yolo(), *_centers()]
    made = [*boxes, *_nms(), *_nms_limits(), *_wrong_sizes(), *places()]
    assert len({c.id for c in made}) == len(made)
    return made


def _head(rng: Any, anchors: int, numbers: int, classes: int, *, spread: float = 30.0) -> tuple[Any, Any]:
    """Boxes and logits of a head: sizes mostly positive, logits mostly small."""
    boxes = rng.normal(0, spread, (1, anchors, numbers)).astype(np.float32)
    boxes[..., 2:4] = np.abs(boxes[..., 2:4]) - np.float32(spread / 10)
    return boxes, rng.normal(-1, 3, (1, anchors, classes)).astype(np.float32)


def _faces() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED)
    boxes, scores = _head(rng, 896, 16, 1)
    for threshold in (0.0, 0.2, 0.5, 0.75, 1.0):
        yield case(f"face-{threshold}", "ssd_boxes", {**FACE, "threshold": threshold}, (boxes, scores))
    steps = np.linspace(-120, 120, 896, dtype=np.float32).reshape(1, 896, 1)
    yield case("sigmoid", "ssd_boxes", {**FACE, "threshold": 0.0}, (boxes, steps))
    plain = {name: value for name, value in FACE.items() if name not in ("sigmoid_score", "score_clipping_thresh")}
    chances = rng.uniform(0, 1, (1, 896, 1)).astype(np.float32)
    yield case("chances", "ssd_boxes", {**plain, "threshold": 0.6}, (boxes, chances))
    for index, edge in enumerate(EDGES):
        for where in (0, 1):
            value = (boxes.copy(), scores.copy())
            value[where][0, 300, 0] = edge
            value[1][0, 300, 0] = 2.0 if where == 0 else edge
            yield case(f"edge-{index}-{where}", "ssd_boxes", {**FACE, "threshold": 0.5}, value)
    for name, logit in (("bad-point-below-the-threshold", -9.0), ("bad-point", 9.0)):
        value = (boxes.copy(), scores.copy())
        value[0][0, 300, 7], value[1][0, 300, 0] = np.nan, logit
        yield case(name, "ssd_boxes", {**FACE, "threshold": 0.5}, value)


def _objects() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED + 1)
    boxes, scores = _head(rng, 96, 4, 5, spread=4.0)
    ties = np.round(scores / 2)
    for name, change in (
        ("objects", {}),
        ("linear", {"apply_exponential_on_box_size": False}),
        ("xywh", {"reverse_output_order": True}),
        ("clipped", {"score_clipping_thresh": 0.5}),
        ("offset", {"anchor_offset_x": 0.25, "anchor_offset_y": 0.0, "x_scale": 3.3, "h_scale": 0.7}),
    ):
        for threshold in (0.0, 0.6):
            params = {**OBJECTS, **change, "threshold": threshold}
            yield case(f"{name}-{threshold}", "ssd_boxes", params, (boxes, scores))
    yield case("ties", "ssd_boxes", {**OBJECTS, "threshold": 0.5}, (boxes, ties))
    single = {**OBJECTS, "strides": [25], "reduce_boxes_in_lowest_layer": False, "interpolated_scale_aspect_ratio": 0}
    yield case("one-layer", "ssd_boxes", {**single, "threshold": 0.5}, _head(rng, 30, 10, 2, spread=4.0))
    large = (boxes.copy(), scores.copy())
    large[0][0, 7, 3], large[1][0, 7, 0] = 600.0, 9.0
    yield case("size-overflows", "ssd_boxes", {**OBJECTS, "threshold": 0.5}, large)
    every = np.linspace(-530, 420, 96 * 4, dtype=np.float32).reshape(1, 96, 4)
    yield case("exponentials", "ssd_boxes", {**OBJECTS, "threshold": 0.0}, (every, scores))


def _yolo() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED + 2)
    for boxes, classes in ((600, 80), (40, 1), (64, 3)):
        rows = np.concatenate(
            [rng.uniform(0, 640, (boxes, 2)), rng.uniform(-5, 90, (boxes, 2)), rng.uniform(0, 1, (boxes, 1 + classes))],
            axis=1,
        ).astype(np.float32)
        columns = np.ascontiguousarray(np.delete(rows, 4, axis=1).T)[None]
        for threshold in (0.0, 0.25, 0.8):
            name = f"{boxes}x{classes}-{threshold}"
            yield case(f"v5-{name}", "yolo_boxes", {"layout": "v5", "threshold": threshold}, rows[None])
            yield case(f"v8-{name}", "yolo_boxes", {"layout": "v8", "threshold": threshold}, columns)
    coarse = rows.copy()
    coarse[:, 4:] = np.round(coarse[:, 4:] * 4) / 4
    yield case("v5-ties", "yolo_boxes", {"layout": "v5", "threshold": 0.25}, coarse[None])
    parts = {"layout": "v5", "threshold": 0.1, "width": 640, "height": 480}
    small = rows[None].copy()
    small[..., :4] /= np.float32(640)
    yield case("v5-fractions", "yolo_boxes", parts, small)
    for index, edge in enumerate(EDGES):
        for place in (0, 2 if index % 2 else 4):
            value = rows[None].copy()
            value[0, 9, 4:] = 0.5
            value[0, 9, place] = edge
            yield case(f"v5-edge-{index}-{place}", "yolo_boxes", {"layout": "v5", "threshold": 0.25}, value)
        value = columns.copy()
        value[0, 5, 63] = edge
        yield case(f"v8-edge-{index}", "yolo_boxes", {"layout": "v8", "threshold": 0.25}, value)


def _centers() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED + 3)
    for classes, points, rows, columns in ((1, 5, 6, 9), (3, 0, 7, 4)):
        heat = rng.uniform(0, 1, (1, classes, rows, columns))
        sizes, offsets = rng.normal(1, 1, (2, 1, 2, rows, columns))
        places = rng.uniform(0, 1, (1, 2 * points, rows, columns))
        maps = tuple(one.astype(np.float32) for one in (heat, sizes, offsets, places))
        for stride, threshold in ((4, 0.0), (4, 0.5), (32, 0.9), (1, 1.0)):
            params = {"stride": stride, "threshold": threshold}
            yield case(f"{classes}-{stride}-{threshold}", "center_boxes", params, maps)
        ties = (np.round(maps[0] * 4) / 4, *maps[1:])
        yield case(f"{classes}-ties", "center_boxes", {"stride": 4, "threshold": 0.5}, ties)
        for index, edge in enumerate((*EDGES, 90.0, -150.0)):
            where = 1 + (index + classes // 2) % 2
            changed = tuple(one.copy() for one in maps)
            changed[0][0, 0, 2, 3], changed[where][0, 1, 2, 3] = 0.875, edge
            yield case(f"{classes}-edge-{index}", "center_boxes", {"stride": 4, "threshold": 0.75}, changed)
    bad = (maps[0].copy(), *maps[1:])
    bad[0][0, 1, 3, 1] = np.nan
    yield case("not-a-number", "center_boxes", {"stride": 4, "threshold": 0.75}, bad)


def _candidates(each: Boxes, points: int) -> Candidates:
    """The set with points that tell which box they belong to."""
    count = len(each.scores)
    places = np.arange(count * points * 2, dtype=np.float32).reshape(count, points, 2)
    return Candidates(each.boxes, places, each.scores, each.classes)


def _nms() -> Iterator[Case]:
    """The sets that torchvision has seen (torchvision_nms.json)."""
    for index, each in enumerate(box_sets()):
        params = {"iou_threshold": each.threshold, "max_results": 256, "per_class": index // 2 % 2 == 0}
        yield case(each.name, "nms", params, _candidates(each, 6 if index % 3 == 0 else 0))


def _nms_limits() -> Iterator[Case]:
    """Fewer results than are left, fewer candidates than there can be, and none at all."""
    sets = {each.name: each for each in box_sets()}
    for count in (1, 3):
        params = {"iou_threshold": 0.45, "max_results": count}
        yield case(f"at-most-{count}", "nms", params, _candidates(sets["clusters-4-0.45"], 2))
    some = _candidates(sets["clusters-2-0.3"], 1)
    yield case("few", "nms", {"iou_threshold": 0.3, "max_results": 50}, some, start=CandidatesType(40, 1))
    none = Candidates(some.boxes[:0], some.points[:0], some.scores[:0], some.classes[:0])
    yield case("none", "nms", {"iou_threshold": 0.3, "max_results": 50}, none, start=CandidatesType(40, 1))


def _wrong_sizes() -> Iterator[Case]:
    """A value that is smaller or larger than the call was made for."""
    boxes, scores = np.zeros((1, 896, 16), np.float32), np.zeros((1, 896, 1), np.float32)
    faces = case("size", "ssd_boxes", {**FACE, "threshold": 0.5}, (boxes, scores))
    rows = np.zeros((1, 12, 8), np.float32)
    objects = case("size", "yolo_boxes", {"layout": "v5", "threshold": 0.5}, rows)
    maps = tuple(np.zeros((1, channels, 3, 4), np.float32) for channels in (1, 2, 2, 10))
    centers = case("size", "center_boxes", {"stride": 4, "threshold": 0.5}, maps)
    some = _candidates(next(each for each in box_sets() if each.name == "clusters-2-0.3"), 1)
    fewer = Candidates(some.boxes[:-1], some.points[:-1], some.scores[:-1], some.classes[:-1])
    kept = case("size", "nms", {"iou_threshold": 0.3, "max_results": 50}, fewer)
    changed: list[tuple[Case, Any]] = [
        (faces, (boxes[:, 1:], scores)),
        (faces, (boxes, scores[:, 1:])),
        (objects, rows[:, 1:]),
        (kept, some),
    ]
    changed += [(centers, (*maps[:i], maps[i][:, :, 1:], *maps[i + 1 :])) for i in range(4)]
    for index, (good, value) in enumerate(changed):
        yield replace(good, id=f"{good.id}-{index}", input=value, start=type_of(value), expected=REFUSED)
