"""Points of one object, and how sure the model is of it: Landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "points and one score: two outputs, n x 3 or n x 2 numbers and a single one"
SIDE: Literal["input", "output"] = "output"
ORDER = 8

FEWEST, MOST = 5, 2000
"""Points."""


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:  # noqa: ARG001 - the protocol's form
    """None for a tensor alone: see `together`."""
    return ()


def together(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], known: Known) -> Sequence[Proposal]:
    """Points in pixels of the model's input (or in parts of it), with their score; one picture is the only input."""
    if len(outputs) != 2 or len(inputs) != 1 or len(inputs[0].shape) != 4:
        return ()
    score, points = sorted(outputs, key=lambda spec: prod(size or 1 for size in spec.shape))
    count = prod(size or 1 for size in points.shape)
    dimensions = next((d for d in (3, 2) if count % d == 0 and FEWEST <= count // d <= MOST), None)
    single = prod(size or 1 for size in score.shape) == 1
    if dimensions is None or not single or {points.dtype, score.dtype} != {"float32"}:
        return ()
    end = known.activations.get(score.name)
    how = "as-is" if end is not None and end.kind == "sigmoid" else "sigmoid"
    name = known.names.get(points.name, "points")
    made = []
    for unit in ("pixels", "ratio"):
        step = Step("landmarks", {"dimensions": dimensions, "unit": unit, "score": how}, "unit, and what the score is")
        made.append(Proposal(name, (step,), f"points in {unit}", tensors=(points.name, score.name)))
    return made
