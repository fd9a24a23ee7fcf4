"""What `init` knows of a model, and what a recipe proposes for one of its tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from packager.model.tensors import Activation, TensorSpec


@dataclass(frozen=True)
class Known:
    """Facts that stand in the model's file or beside it; what is None or empty is not known.

    `mean` and `std` are for levels 0 to 255. `scales_itself` names the layers inside the model that scale the raw
    levels. `origin` says in words where the facts were read.
    """

    labels: tuple[str, ...] = ()
    labels_file: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    size: tuple[int, int] | None = None
    fit: str | None = None
    method: str | None = None
    scales_itself: tuple[str, ...] = ()
    activations: Mapping[str, Activation] = field(default_factory=dict)
    origin: tuple[str, ...] = ()


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
    `of_probabilities`: for an output that was seen to give probabilities, although nothing in the file says so.
    """

    name: str
    steps: tuple[Step, ...]
    summary: str
    accepts: Mapping[str, Any] | None = None
    guess: str = ""
    of_probabilities: bool = False


@runtime_checkable
class RecipeModule(Protocol):
    """`recipes/<recipe>/__init__.py`: what `init` proposes for tensors of one kind.

    `ORDER` decides which recipe is asked first; the first one with a proposal is taken. Optional attribute
    `known_beside(model: Path) -> Known`: what files beside the model say. A source's module may have
    `known(path: Path) -> Known`: what the model's own file says.
    """

    SUMMARY: str
    SIDE: Literal["input", "output"]
    ORDER: int

    def proposals(self, tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
        """The most usual proposal first; empty where the tensor is of another kind. Its shape is without None."""


__all__ = ["Known", "Proposal", "RecipeModule", "Step"]
