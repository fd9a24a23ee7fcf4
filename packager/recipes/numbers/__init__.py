"""Any other output: plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "plain numbers"
SIDE: Literal["input", "output"] = "output"
ORDER = 100


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """The one proposal that fits every tensor; integers are made real where the tensor says how."""
    held = tensor.quantization if tensor.dtype == "int8" else None
    first = (Step("dequantize", {"scale": held.scale, "zero_point": held.zero_point}),) if held is not None else ()
    real = tensor.dtype == "float32" or held is not None
    values = Step("values", None, "what the numbers mean" if real else f"no step takes {tensor.dtype} yet")
    return (Proposal(known.names.get(tensor.name, tensor.name), (*first, values), "plain numbers"),)
