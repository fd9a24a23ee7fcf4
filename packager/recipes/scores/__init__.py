"""Scores of classes: a Classification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "scores of classes: [1, n]"
SIDE: Literal["input", "output"] = "output"
ORDER = 10

PROBABILITIES = ("softmax", "sigmoid", "log_softmax")
"""Ends of a model after which scores need no softmax."""


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """Softmax where the model does not end in one, then the labels; nothing where their number is another."""
    count = tensor.shape[-1] or 0
    if tensor.dtype != "float32" or count < 2 or len(known.labels) != count or _size(tensor) != count:
        return ()
    end = known.activations.get(tensor.name)
    steps = []
    if end is None:
        steps.append(Step("softmax", None, "the model ends in plain scores"))
    elif end.kind not in PROBABILITIES:
        steps.append(Step("softmax", None, f"the model ends in {end.kind}"))
    source: dict[str, Any] = {"file": known.labels_file} if known.labels_file else {"names": list(known.labels)}
    steps.append(Step("labels", {**source, "top": min(5, count)}))
    return (Proposal("verdict", tuple(steps), "classes, best first"),)


def _size(tensor: TensorSpec) -> int:
    total = 1
    for dimension in tensor.shape:
        total *= dimension or 0
    return total
