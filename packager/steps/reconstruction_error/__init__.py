"""How far two tensors are apart: an autoencoder's reconstruction and what it was given."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field

from packager.core.constants import Choice
from packager.model.contract import Call, ContractType, StepMismatchError, StepParams, TensorsType, TensorType
from packager.steps._values import Array, aligned

SUMMARY = "mean error of a reconstruction against its original, such as the model's own input: one number (anomalies)"


class Params(StepParams):
    """Which error."""

    metric: Literal["mse", "mae"] = Field(description="mse: mean of squared differences; mae: of their magnitudes.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """(float32, float32) of as many numbers -> float32[1, 1]."""
    if not isinstance(value, TensorsType) or len(value.tensors) != 2:
        raise StepMismatchError(
            f"`reconstruction_error` compares two tensors, but the value before it is {value}",
            "`tensors: [RECONSTRUCTION, ORIGINAL]` of the output, and this step first: one of the model's outputs, and "
            "the model's own input or another output",
        )
    one, other = value.tensors
    if one.dtype != "float32" or other.dtype != "float32" or one.size != other.size:
        raise StepMismatchError(
            f"`reconstruction_error` cannot compare {one} and {other}", "float32 tensors of as many numbers"
        )
    return TensorType("float32", (1, 1))


def apply(bound: Params, value: tuple[Array, Array]) -> Array:
    """Two float32 arrays of n numbers -> float32 [1, 1].

    d = first - second in float64; sum of d * d, or |d|, in index order; over n, rounded once.
    """
    made, given = (one.reshape(-1).astype(np.float64) for one in value)
    with np.errstate(invalid="ignore", over="ignore"):
        difference = made - given
        errors = difference * difference if bound.metric == "mse" else np.abs(difference)
        mean = np.cumsum(errors)[-1] / errors.size
        result: Array = np.array([[mean]]).astype(np.float32)
    return result


def reach(bound: Params, value: tuple[Array, Array], limit: float) -> float:
    """How far the mean can move where each difference d of the two tensors moves by at most `limit`.

    mae: by `limit`. mse: |(d + e)^2 - d^2| <= 2 |d| limit + limit^2, so by 2 limit mean|d| + limit^2.
    """
    if bound.metric == "mae":
        return limit
    made, given = (one.reshape(-1).astype(np.float64) for one in value)
    return 2 * limit * float(np.abs(made - given).mean()) + limit * limit


def call(bound: Params, value: ContractType) -> Call:
    """`reconstruction_error(metric)`: two float32 tensors -> float32 tensor of one number."""
    arguments = (("metric", Choice("error_metric", bound.metric)),)
    return Call("reconstruction_error", arguments, result_type(bound, value), aligned(4))
