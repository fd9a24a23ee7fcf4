"""A vector whose distances mean something."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ContractType, Embedding, ResultType, StepParams
from packager.steps._values import Array, aligned, need_tensor

SUMMARY = "the model's numbers as a vector, scaled to length 1 where wanted: Embedding"


class Params(StepParams):
    """Whether the vector is scaled."""

    normalize: bool = Field(default=True, description="Divide by the vector's length (L2); one of zeros stays.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """float32 tensor -> Embedding."""
    need_tensor("embedding", value)
    return ResultType("Embedding")


def apply(bound: Params, value: Array) -> Embedding:
    """float32 -> float32: squares are summed one after the other in float64, then each number is divided in float64
    by the root and rounded once. Raises ValueError where a number is not finite.
    """
    flat = value.reshape(-1)
    if not np.isfinite(flat).all():
        raise ValueError("a number is not finite")
    wide = flat.astype(np.float64)
    length = float(np.sqrt(np.cumsum(wide * wide)[-1])) if flat.size else 0.0
    scaled = (wide / length).astype(np.float32) if bound.normalize and length > 0 else flat
    return Embedding(tuple(float(n) for n in scaled))


def call(bound: Params, value: ContractType) -> Call:
    """`as_embedding(normalize)`: float32 tensor -> Embedding."""
    tensor = need_tensor("embedding", value)
    return Call("as_embedding", (("normalize", bound.normalize),), ResultType("Embedding"), aligned(4 * tensor.size))
