"""Typed results that the app sees; the same names and fields in all languages.

Text is the next kind. A kind is a class here with `to_json`, a type of the same name in each kit of native files
(`packager/steps/_cpp`, `_kotlin`, `_swift`), and a view in each target's sample app; steps say which kind they make.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

ResultKind = Literal["Classification", "Detections", "Landmarks", "Mask", "Embedding", "Values"]


@dataclass(frozen=True)
class Label:
    """One class with its score in the model's own scale (a probability after softmax)."""

    label: str
    score: float
    index: int


@dataclass(frozen=True)
class Classification:
    """Classes, best first; ties by lower index."""

    labels: tuple[Label, ...]
    kind: ClassVar[ResultKind] = "Classification"

    def to_json(self) -> dict[str, Any]:
        """JSON form, the same in all languages: {kind, labels: [{label, score, index}]}."""
        rows = [{"label": x.label, "score": x.score, "index": x.index} for x in self.labels]
        return {"kind": self.kind, "labels": rows}


@dataclass(frozen=True)
class Box:
    """Edges in pixels of the original image, inside it; left <= right, top <= bottom."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Point:
    """A place in pixels of the original image; it may lie outside."""

    x: float
    y: float


@dataclass(frozen=True)
class Point3:
    """A place in pixels of the original image; z in the unit of x, 0 where the model gives none."""

    x: float
    y: float
    z: float


@dataclass(frozen=True)
class Detection:
    """One object: its class, score, box and points."""

    label: str
    score: float
    index: int
    box: Box
    points: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Detections:
    """Objects, best first."""

    detections: tuple[Detection, ...]
    kind: ClassVar[ResultKind] = "Detections"

    def to_json(self) -> dict[str, Any]:
        """JSON form: {kind, detections: [{label, score, index, box: {left, ...}, points: [{x, y}]}]}."""
        return {"kind": self.kind, "detections": [asdict(found) for found in self.detections]}


@dataclass(frozen=True)
class Landmarks:
    """Named by their order: points of one object, and how sure the model is that it is there."""

    score: float
    points: tuple[Point3, ...]
    kind: ClassVar[ResultKind] = "Landmarks"

    def to_json(self) -> dict[str, Any]:
        """JSON form: {kind, score, points: [{x, y, z}]}."""
        return {"kind": self.kind, "score": self.score, "points": [asdict(point) for point in self.points]}


@dataclass(frozen=True)
class Mask:
    """A class for each pixel of the original image, rows from top to bottom; `labels` may be empty."""

    width: int
    height: int
    classes: bytes
    labels: tuple[str, ...] = ()
    kind: ClassVar[ResultKind] = "Mask"

    def to_json(self) -> dict[str, Any]:
        """JSON form: {kind, width, height, labels, classes: [...]}."""
        size = {"width": self.width, "height": self.height}
        return {"kind": self.kind, **size, "labels": list(self.labels), "classes": list(self.classes)}


@dataclass(frozen=True)
class Embedding:
    """A vector whose distances mean something."""

    values: tuple[float, ...]
    kind: ClassVar[ResultKind] = "Embedding"

    def to_json(self) -> dict[str, Any]:
        """JSON form: {kind, values}."""
        return {"kind": self.kind, "values": list(self.values)}


@dataclass(frozen=True)
class Values:
    """Plain numbers, C-order, with the shape they had and their unit (may be empty)."""

    values: tuple[float, ...]
    shape: tuple[int, ...]
    unit: str = ""
    kind: ClassVar[ResultKind] = "Values"

    def to_json(self) -> dict[str, Any]:
        """JSON form, the same in all languages: {kind, shape, unit, values}."""
        return {"kind": self.kind, "shape": list(self.shape), "unit": self.unit, "values": list(self.values)}


Result = Classification | Detections | Landmarks | Mask | Embedding | Values
