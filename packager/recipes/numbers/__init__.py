"""Any other output: plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "plain numbers"
SIDE: Literal["input", "output"] = "output"
ORDER = 100


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:  # noqa: ARG001 - the protocol's form
    """The one proposal that fits every tensor."""
    return (Proposal(tensor.name, (Step("values", None, "what the numbers mean"),), "plain numbers"),)
