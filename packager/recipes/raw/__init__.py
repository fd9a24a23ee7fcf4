"""Any other input: the app hands over the model's own tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from packager.model.recipes import Known, Proposal
from packager.model.tensors import TensorSpec

SUMMARY = "the model's own tensor, as it is"
SIDE: Literal["input", "output"] = "input"
ORDER = 100


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """The one proposal that fits every tensor."""
    return (
        Proposal(
            known.names.get(tensor.name, tensor.name),
            (),
            "the tensor as it is",
            {"tensor": "raw"},
            "what makes this tensor",
        ),
    )
