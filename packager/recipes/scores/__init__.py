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
    source: dict[str, Any] = {"file": known.labels_file} if known.labels_file else {"names": list(known.labels)}
    labels = Step("labels", {**source, "top": min(5, count)})
    plain = Proposal("verdict", (labels,), "classes, best first", of_probabilities=True)
    if end is not None and end.kind in PROBABILITIES:
        return (plain,)
    ending = "plain scores" if end is None else end.kind
    softmax = Step("softmax", None, f"the model ends in {ending}")
    return (Proposal("verdict", (softmax, labels), "classes, best first"), plain)


def _size(tensor: TensorSpec) -> int:
    total = 1
    for dimension in tensor.shape:
        total *= dimension or 0
    return total
