"""Decisions of results that no largest element tells: a threshold on one number, an error against the model's input."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from packager.model.contract import Chain, ResultType, StepUse, TensorsType, TensorType
from packager.model.golden import SampleGolden
from packager.plan.reference import run_output
from packager.registry import Catalog
from packager.stages.verify.results import decided_by_largest, decisions

CATALOG = Catalog()
FLOAT = TensorType("float32", (1, 2))
ONE = TensorType("float32", (1, 1))
END = ResultType("Classification")


def use(step: str, **params: Any) -> StepUse:
    return StepUse(step, CATALOG.steps[step].Params.model_validate(params))


LIMIT = use("threshold", limit=0.5, below="normal", above="anomaly")
ERROR = use("reconstruction_error", metric="mae")
ODD = Chain(
    "odd", "echo", (ERROR, LIMIT), (TensorsType((FLOAT, FLOAT)), ONE, END), rest=("signal",), fed=("", "reading")
)
SURE = Chain("sure", "score", (LIMIT,), (ONE, END))


def golden(chain: Chain, outputs: dict[str, Any], inputs: dict[str, Any]) -> SampleGolden:
    result = run_output(CATALOG, chain, outputs, inputs, {})
    return SampleGolden("s", {}, inputs, outputs, {chain.name: result})


def scores(*numbers: float) -> list[dict[str, Any]]:
    return [{"score": np.array([[n]], np.float32)} for n in numbers]


@pytest.mark.parametrize(
    ("source", "got", "margin", "expected"),
    [
        ((0.1, 0.9), (0.2, 0.8), 0.1, (2, 2, 0)),
        ((0.1, 0.45), (0.1, 0.52), 0.25, (1, 2, 1)),  # 0.07 apart, the scores' range is 0.35
        ((0.1, 0.45), (0.1, 0.52), 0.1, (1, 2, 0)),
        ((0.1, 0.9), (0.9, 0.1), 0.5, (0, 2, 0)),
        ((0.1, 0.9), (0.1, float("nan")), 0.5, (1, 2, 0)),
    ],
)
def test_an_answer_on_the_other_side_of_the_limit_is_lost_unless_it_is_near(
    source: tuple[float, ...], got: tuple[float, ...], margin: float, expected: tuple[int, int, int]
) -> None:
    goldens = [golden(SURE, outputs, {}) for outputs in scores(*source)]
    plan: Any = SimpleNamespace(outputs=(SURE,))
    assert decisions(goldens, scores(*got), plan, CATALOG, margin) == expected


def test_an_error_is_judged_against_the_models_float_input() -> None:
    inputs = {"signal": np.array([[0.0, 1.0]], np.float32), "echo": np.array([[9.0, 9.0]], np.float32)}
    same, other = np.array([[0.25, 0.75]], np.float32), np.array([[0.5, 0.0]], np.float32)
    goldens = [golden(ODD, {"echo": same}, inputs), golden(ODD, {"echo": other}, inputs)]
    assert [result.results["odd"].to_json()["labels"][0]["score"] for result in goldens] == [0.25, 0.75]
    plan: Any = SimpleNamespace(outputs=(ODD,))
    assert decisions(goldens, [{"echo": same}, {"echo": same}], plan, CATALOG, 0.1) == (1, 2, 0)


def test_only_scores_of_one_tensor_are_judged_by_the_largest() -> None:
    labels = StepUse("labels", None)
    assert decided_by_largest(Chain("a", "a", (labels,), (FLOAT, END)))
    assert not decided_by_largest(SURE)
    assert not decided_by_largest(ODD)
    assert not decided_by_largest(Chain("a", "a", (), (FLOAT, ResultType("Values"))))
