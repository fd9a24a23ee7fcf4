"""Results with places mapped back to the original image (group `detect`), and results of plain numbers (`series`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from step_cases import CATALOG, REFUSED, RNG_SEED, Case, Pictures, bind, case, type_of, with_needs

from packager.model.contract import Candidates, CandidatesType, ContractType, Geometry, ImageSize, Move

TEXTS = ("face", "né 'q' \"d\"", "back\\slash", "tab\there", "猫", "$dollar", "?\x3f/")
"""Labels with what languages quote."""
SIZE = (24, 18)
"""Width and height of the model's input."""
ENDS = {
    "stretch": (Move("stretch", *SIZE),),
    "crop": (Move("crop", *SIZE),),
    "letterbox": (Move("letterbox", *SIZE),),
    "cut": (Move("crop_ratio", 4, 3), Move("letterbox", *SIZE)),
    "centre": (Move("shorter", 20), Move("crop_size", *SIZE)),
}
PHOTOS = (ImageSize(64, 48), ImageSize(31, 67), ImageSize(100, 9))


def ways(count: int) -> Iterator[tuple[str, Geometry, ImageSize]]:
    """Every end with every photo, `count` orientations each: names, ways back, sizes of the original."""
    for index, (name, moves) in enumerate(ENDS.items()):
        for place, photo in enumerate(PHOTOS):
            for turn in range(count):
                orientation = 1 + (3 * index + place + turn * 5) % 8
                geometry = Geometry("photo", (Move("orient", orientation), *moves), *SIZE, 8_000)
                yield f"{name}-{orientation}-{photo.width}x{photo.height}", geometry, photo


def placed(
    name: str,
    step: str,
    params: dict[str, Any],
    value: Any,
    way: tuple[Geometry, ImageSize],
    start: ContractType | None = None,
) -> Case:
    """One step that maps places back, for a photo of this size."""
    module: Any = CATALOG.steps[step]
    geometry, photo = way
    bound = module.placed(bind(step, params), geometry)
    start = start or type_of(value)
    module.result_type(bound, start)
    try:
        expected = module.apply(bound, value, photo)
    except ValueError:
        expected = REFUSED
    tolerance = module.TOLERANCE if params.get("score") == "sigmoid" else None
    call = module.call(bound, start)
    made = Case(f"{step}/{name}", call, start, value, expected, with_needs((step,)), tolerance)
    return replace(made, photo=photo, fits=step != "mask")


def places() -> Iterator[Case]:
    """Detections, landmarks, masks."""
    yield from _detections()
    yield from _landmarks()
    yield from _masks()


def _found(rng: Any, count: int, points: int) -> Candidates:
    """Candidates in and around the model's input; scores tie, boxes may lie outside."""
    low = rng.uniform(-4, 20, (count, 2))
    boxes = np.concatenate([low, low + rng.uniform(0, 12, (count, 2))], axis=1).astype(np.float32)
    scores = (rng.integers(0, 9, count) / 8).astype(np.float32)
    around = rng.uniform(-5, 29, (count, points, 2)).astype(np.float32)
    return Candidates(boxes, around, scores, rng.integers(0, len(TEXTS), count).astype(np.int32))


def _detections() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED + 4)
    params = {"names": list(TEXTS)}
    for index, (name, geometry, photo) in enumerate(ways(2)):
        found = _found(rng, 7, index % 3)
        yield placed(name, "detections", {**params, "top": 4 + index % 5}, found, (geometry, photo))
    way = geometry, photo
    some = _found(rng, 5, 1)
    none = Candidates(some.boxes[:0], some.points[:0], some.scores[:0], some.classes[:0])
    yield placed("fewer-than-there-can-be", "detections", params, some, way, CandidatesType(40, 1))
    yield placed("none", "detections", params, none, way, CandidatesType(40, 1))
    yield placed("best-of-many", "detections", {**params, "top": 1}, _found(rng, 40, 0), way)
    yield placed("no-photo", "detections", params, some, (geometry, ImageSize(0, 9)))
    for place in range(4):
        for edge in (np.nan, np.inf):
            arrays = [one.copy() for one in (some.boxes, some.points, some.scores)]
            arrays[min(place, 2)].reshape(-1)[place] = edge
            bad = Candidates(*arrays, some.classes)
            yield placed(f"edge-{place}-{edge}", "detections", params, bad, way)
    for index in (-1, len(TEXTS)):
        classes = some.classes.copy()
        classes[2] = index
        bad = replace(some, classes=classes)
        yield placed(f"no-label-{index}", "detections", params, bad, way)


def _landmarks() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED + 5)
    for index, (name, geometry, photo) in enumerate(ways(2)):
        dimensions, unit = 2 + index % 2, ("pixels", "ratio")[index // 2 % 2]
        spread = 1.2 if unit == "ratio" else 25.0
        points = rng.uniform(-0.2, spread, (1, 6 * dimensions)).astype(np.float32)
        params = {"dimensions": dimensions, "unit": unit}
        yield placed(f"{name}-{unit}", "landmarks", params, points, (geometry, photo))
        score = np.array([[(index - 14) / 3]], np.float32)
        how = ("as-is", "sigmoid")[index % 2]
        both = (points, score)
        yield placed(f"{name}-{unit}-{how}", "landmarks", {**params, "score": how}, both, (geometry, photo))
    way = geometry, photo
    for edge in (np.nan, np.inf):
        for place in (0, 1):
            value = (points.copy(), score.copy())
            value[place][0, 0] = edge
            yield placed(f"edge-{place}-{edge}", "landmarks", {**params, "score": "sigmoid"}, value, way)
    yield placed("no-photo", "landmarks", params, points, (geometry, ImageSize(3, 0)))


def _masks() -> Iterator[Case]:
    rng = np.random.default_rng(RNG_SEED + 6)
    for index, (name, geometry, photo) in enumerate(ways(1)):
        classes = 2 + index % 4
        for layout in ("nhwc", "nchw"):
            shape = (1, 9, 12, classes) if layout == "nhwc" else (1, classes, 9, 12)
            grid = np.round(rng.normal(0, 1, shape) * 2) / 2
            value = grid.astype(np.float32)
            names = {} if index % 2 else {"names": list(TEXTS[:classes])}
            params = {"layout": layout, **names}
            yield placed(f"{name}-{layout}", "mask", params, value, (geometry, photo))
            above = {"layout": layout, "threshold": 0.5, "channel": classes - 1}
            yield placed(f"{name}-{layout}-above", "mask", above, value, (geometry, photo))
    way = geometry, photo
    single = rng.normal(0, 1, (1, 5, 7)).astype(np.float32)
    yield placed("one-channel", "mask", {"threshold": 0.0, "names": ["no", "猫"]}, single, way)
    for edge in (np.nan, np.inf):
        bad = value.copy()
        bad[0, 1, 1, 1] = edge
        yield placed(f"edge-{edge}", "mask", {"layout": layout}, bad, way)


def plain() -> Iterator[Case]:
    """Values and embeddings."""
    pictures = Pictures(RNG_SEED + 7)
    far = np.array([[3e38, -3e38, 1e-38, 1e-45, -0.0, 0.0]], np.float32)
    sets = {
        "one": pictures.floats(1, 1),
        "many": pictures.floats(1, 3, 2, 50),
        "far": far,
        "small": far[:, 2:].copy(),
        "zeros": np.zeros((1, 4), np.float32),
        "nan": np.array([[1.0, np.nan]], np.float32),
        "infinite": np.array([[np.inf, 1.0]], np.float32),
    }
    for name, value in sets.items():
        for unit in ("", "m/s²", '"kg"\\$'):
            yield case(f"{name}-{len(unit)}", "values", {"unit": unit}, value)
        for scaled in (True, False):
            yield case(f"{name}-{scaled}", "embedding", {"normalize": scaled}, value)
