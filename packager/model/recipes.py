"""What `init` knows of a model, and what a recipe proposes for one of its tensors."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from packager.model.manifest import LONGEST_LICENSE, SPDX
from packager.model.tensors import Activation, TensorSpec


@dataclass(frozen=True)
class Known:
    """Facts that stand in the model's file or beside it; what is None or empty is not known.

    `mean` and `std` are for levels 0 to 255 in the order of the model's own channels. `scales_itself` names the layers
    inside the model that scale: without `mean` and `std`, what they expect is not sure.

    `size` (height, width) is the picture that the model takes. On the way to it the picture is fitted as `fit` says;
    or it is first resized so that its shorter side is `shorter`, or to `resized` (height, width), and the centre is
    cut out. `method`, `like` and `fill` are those of the step `resize`; `color` is rgb, bgr or grey. `usual_fit` is
    no fact, but the way that comes first where no other is known, as the model's outputs suggest.

    `head` names the layout of a detector's output (`yolo-v5`, `yolo-v8`). `names` are what the model calls its tensors
    for people, by tensor name. `origin` says in words where the facts were read.
    """

    labels: tuple[str, ...] = ()
    labels_file: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    size: tuple[int, int] | None = None
    fit: str | None = None
    shorter: int | None = None
    resized: tuple[int, int] | None = None
    method: str | None = None
    like: str | None = None
    fill: int | None = None
    usual_fit: str | None = None
    color: str | None = None
    head: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    license: str | None = None
    scales_itself: tuple[str, ...] = ()
    activations: Mapping[str, Activation] = field(default_factory=dict)
    origin: tuple[str, ...] = ()

    @property
    def naming(self) -> dict[str, Any]:
        """The known labels as a step's parameters: the file that holds them, or the names themselves."""
        return {"file": self.labels_file} if self.labels_file else {"names": list(self.labels)}


LARGEST_SIDE = 1 << 16
"""Sides in pixels above this are a broken file's."""

_UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories: control characters, lone surrogates, ends of lines and paragraphs."""


def usable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts, by field of `Known`, that a manifest can hold; what is empty or cannot be meant is left out.

    `mean` and `std` are finite, as many, and every `std` is above 0; sides are 1 to LARGEST_SIDE; no label is blank or
    holds a control character other than a tab; a licence is an SPDX expression.
    """
    kept = {key: value for key, value in facts.items() if value and _TESTS.get(key, bool)(value)}
    mean, std = kept.get("mean", ()), kept.get("std", ())
    whole = len(mean) == len(std) and all(number > 0 for number in std)
    return {key: value for key, value in kept.items() if whole or key not in ("mean", "std")}


def _are_finite(numbers: Sequence[float]) -> bool:
    return all(map(math.isfinite, numbers))


def _are_sides(sides: Sequence[int]) -> bool:
    return all(1 <= side <= LARGEST_SIDE for side in sides)


def _are_labels(labels: Sequence[str]) -> bool:
    texts = all(label.strip() for label in labels)
    return texts and not any(unicodedata.category(c) in _UNWRITABLE and c != "\t" for label in labels for c in label)


_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "labels": _are_labels,
    "license": lambda text: len(text) <= LONGEST_LICENSE and re.search(SPDX, text) is not None,
    "mean": _are_finite,
    "std": _are_finite,
    "size": _are_sides,
    "resized": _are_sides,
    "shorter": lambda side: _are_sides((side,)),
}


@dataclass(frozen=True)
class Step:
    """One step as the manifest writes it. `guess` says what is not known about it."""

    name: str
    params: Mapping[str, Any] | None = None
    guess: str = ""


@dataclass(frozen=True)
class Proposal:
    """One way to make a tensor of what the app has, or a result of a tensor.

    `name` is what the app calls it, `accepts` the manifest's mapping (inputs only), `summary` a few words.
    `names_classes`: an output's result is a Classification. `of_probabilities`: for one that was seen to give
    probabilities, although nothing in the file says so.
    `tensors`: for an output that takes several of the model's tensors, in this order. `usual_fit`: for an output
    whose models are usually given pictures fitted in this way.
    """

    name: str
    steps: tuple[Step, ...]
    summary: str
    accepts: Mapping[str, Any] | None = None
    guess: str = ""
    names_classes: bool = False
    of_probabilities: bool = False
    tensors: tuple[str, ...] = ()
    usual_fit: str | None = None


@runtime_checkable
class RecipeModule(Protocol):
    """`recipes/<recipe>/__init__.py`: what `init` proposes for tensors of one kind.

    `ORDER` decides which recipe is asked first; the first one with a proposal is taken. Optional attributes:

    - `known_beside(model: Path) -> Known`: what files beside the model say. A source's module may have
      `known(path: Path) -> Known`: what the model's own file says.
    - `together(inputs, outputs, known) -> Sequence[Proposal]`: for an output that takes several tensors; all proposals
      name the same `tensors`.
    """

    SUMMARY: str
    SIDE: Literal["input", "output"]
    ORDER: int

    def proposals(self, tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
        """The most usual proposal first; empty where the tensor is of another kind. Its shape is without None."""


__all__ = ["LARGEST_SIDE", "Known", "Proposal", "RecipeModule", "Step", "usable"]
