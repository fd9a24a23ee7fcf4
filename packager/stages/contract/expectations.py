"""What a sample expects of the source model's result."""

from __future__ import annotations

from packager.model.contract import Box, Classification, Detection, Detections, Landmarks, Result, Values
from packager.model.manifest import Expect


def unmet(expect: Expect, result: Result) -> tuple[str, str] | None:
    """(found, expected) in words where an expectation does not hold."""
    if isinstance(result, Classification):
        return _classification(expect, result)
    if isinstance(result, Detections):
        return _detections(expect, result)
    if isinstance(result, Landmarks) and expect.score is not None:
        right = expect.score[0] <= result.score <= expect.score[1]
        return None if right else (f"there with a score of {result.score:.4f}", f"a score{_range(expect.score)}")
    if isinstance(result, Values) and expect.values is not None:
        low, high = min(result.values, default=0.0), max(result.values, default=0.0)
        right = expect.values[0] <= low and high <= expect.values[1]
        return None if right else (f"from {low:g} to {high:g}", f"all{_range(expect.values)}")
    return f"{result.kind}", "a result that can be expected of"


def _range(limits: tuple[float, float] | tuple[int, int]) -> str:
    return f" from {limits[0]:g} to {limits[1]:g}"


def _classification(expect: Expect, result: Classification) -> tuple[str, str] | None:
    wanted = f"`{expect.label}`" if expect.label is not None else "any label"
    if expect.score is not None:
        wanted += f" with a score{_range(expect.score)}"
    if not result.labels:
        return "without a label", wanted
    best = result.labels[0]
    right_label = expect.label is None or best.label == expect.label
    right_score = expect.score is None or expect.score[0] <= best.score <= expect.score[1]
    return None if right_label and right_score else (f"`{best.label}` with {best.score:.4f}", wanted)


def _detections(expect: Expect, result: Detections) -> tuple[str, str] | None:
    found = [each for each in result.detections if expect.label in (None, each.label)]
    name = f"`{expect.label}`" if expect.label is not None else "any label"
    if expect.count is not None and not expect.count[0] <= len(found) <= expect.count[1]:
        return f"{len(found)} of {name}", f"{expect.count[0]} to {expect.count[1]} of {name}"
    if not found:
        return (f"without {name}", name) if expect.count is None else None
    best = found[0]
    if expect.score is not None and not expect.score[0] <= best.score <= expect.score[1]:
        return _described(best), f"{name} with a score{_range(expect.score)}"
    if expect.box is not None and overlap(best.box, Box(*expect.box)) < expect.overlap:
        return _described(best), f"{name} at {list(expect.box)} (overlap {expect.overlap:g})"
    return None


def _described(found: Detection) -> str:
    box = found.box
    place = f"[{box.left:.1f}, {box.top:.1f}, {box.right:.1f}, {box.bottom:.1f}]"
    return f"`{found.label}` with {found.score:.4f} at {place}"


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    common = max(width, 0.0) * max(height, 0.0)
    union = sum((c.right - c.left) * (c.bottom - c.top) for c in (a, b)) - common
    return common / union if union > 0 else 0.0
