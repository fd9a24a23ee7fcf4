"""Scores of classes: a Classification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "scores of classes: [1, n]"
SIDE: Literal["input", "output"] = "output"
ORDER = 10

PROBABILITIES = ("softmax", "sigmoid", "log_softmax")
"""Ends of a model after which scores need no softmax."""

WORDS = "classes, best first"
MOST_NAMED = 32
"""Classes for which names are made up where none are known."""


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """Softmax where the model does not end in one, then the labels; nothing where their number is another.

    Without labels, made-up ones for the few scores of a model that ends in softmax.
    """
    count = (tensor.shape[-1] or 0) if tensor.shape else 0
    stored = tensor.dtype == "int8" and tensor.quantization is not None
    if (tensor.dtype != "float32" and not stored) or count < 2 or _size(tensor) != count:
        return ()
    end = known.activations.get(tensor.name)
    labels = _labels(count, known, end.kind if end is not None else "")
    if labels is None:
        return ()
    name = known.names.get(tensor.name, "verdict")
    first: tuple[Step, ...] = ()
    if stored and tensor.quantization is not None:
        held = tensor.quantization
        first = (Step("dequantize", {"scale": held.scale, "zero_point": held.zero_point}),)
    plain = Proposal(name, (*first, labels), WORDS, names_classes=True, of_probabilities=True)
    if end is not None and end.kind in PROBABILITIES:
        return (plain,)
    ending = "plain scores" if end is None else end.kind
    softmax = Step("softmax", None, f"the model ends in {ending}")
    return (Proposal(name, (*first, softmax, labels), WORDS, names_classes=True), plain)


def _labels(count: int, known: Known, end: str) -> Step | None:
    top = min(5, count)
    if known.labels:
        return Step("labels", {**known.naming, "top": top}) if len(known.labels) == count else None
    if end != "softmax" or count > MOST_NAMED:
        return None
    return Step("labels", {"names": [f"class_{index}" for index in range(count)], "top": top}, "names")


def _size(tensor: TensorSpec) -> int:
    total = 1
    for dimension in tensor.shape:
        total *= dimension or 0
    return total
