"""Figures and the gate: nothing is hidden, and a failure says its figure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from packager.model.artifact import Figures
from packager.model.manifest import Gate
from packager.stages.verify import figures, judge, thresholds
from packager.stages.verify.figures import cosine, lead, output_range
from packager.stages.verify.gate import waiver

GOOD = Figures(
    max_abs=0.0, mean_abs=0.0, relative=0.0, cosine=1.0, decisions_kept=2, decisions=2, undecided=0, non_finite=0,
    samples=2,
)  # fmt: skip


def outputs(*rows: Any) -> list[dict[str, Any]]:
    return [{"scores": np.array([row], np.float32)} for row in rows]


def compare(source: Any, got: Any, margin: float = 0.0) -> Figures:
    return figures(outputs(*source), outputs(*got), ["scores"], margin)


def test_figures_of_a_known_difference() -> None:
    found = compare([[1, 0], [0, 2]], [[1, 0.5], [0, 2]])
    assert found.max_abs == 0.5
    assert found.mean_abs == 0.125
    assert found.relative == 0.25  # the output's range over all samples is 2
    assert found.cosine == pytest.approx(1 / np.hypot(1, 0.5))
    assert (found.decisions_kept, found.decisions, found.samples) == (2, 2, 2)


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_single_value_that_is_not_finite_is_never_hidden(place: int, bad: float) -> None:
    got = [[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]
    got[place] = [got[place][0], bad]
    found = compare([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]], got)
    assert found.non_finite == 1
    assert not np.isfinite(found.max_abs)
    reasons = judge(found, {"cosine": -1.0})
    assert "1 output values are not finite" in reasons
    assert judge(found, {"max_abs": 1e9})[0] == "1 output values are not finite"


def test_nan_poisons_every_figure_whatever_the_order() -> None:
    nan = [[np.nan, 0.1], [0.2, 0.8]]
    for rows in (nan, nan[::-1]):
        found = compare([[0.9, 0.1], [0.2, 0.8]], rows)
        assert np.isnan([found.max_abs, found.mean_abs, found.relative, found.cosine]).all()
    assert any("not a number" in reason for reason in judge(compare([[1, 0]], [[np.nan, 0]]), {"cosine": 0.5}))


def test_zero_vectors() -> None:
    zero, some = np.zeros(3), np.array([0.0, 1.0, 0.0])
    assert cosine(zero, zero) == 1.0
    assert cosine(zero, some) == 0.0
    assert cosine(some, zero) == 0.0
    assert compare([[0, 0]], [[0, 0]]).cosine == 1.0
    assert judge(compare([[1, 0]], [[0, 0]]), {"cosine": 0.98})


def test_decisions_within_the_margin_may_change() -> None:
    source, got = [[0.55, 0.45], [1.0, 0.0]], [[0.45, 0.55], [1.0, 0.0]]
    near = compare(source, got, margin=0.11)  # a lead of 0.1 in a range of 1
    assert (near.decisions_kept, near.undecided) == (1, 1)
    assert judge(near, {}) == ()
    strict = compare(source, got, margin=0.09)
    assert strict.undecided == 0
    assert judge(strict, {}) == ("1 of 2 decisions changed",)


def test_the_margin_is_of_the_outputs_range() -> None:
    source, got = [[5.5, 4.5], [10.0, 0.0]], [[4.5, 5.5], [10.0, 0.0]]
    assert compare(source, got, margin=0.11).undecided == 1  # a lead of 1 in a range of 10
    assert compare(source, got, margin=0.09).undecided == 0


def test_a_kept_decision_within_the_margin_is_no_credit() -> None:
    source = [[0.51, 0.49], [0.9, 0.1]]
    got = [[0.52, 0.48], [0.1, 0.9]]
    found = compare(source, got, margin=0.1)
    assert (found.decisions_kept, found.undecided) == (1, 0)
    assert judge(found, {}) == ("1 of 2 decisions changed",)


def test_lead_and_range() -> None:
    assert lead(np.array([0.1, 0.7, 0.2])) == pytest.approx(0.5)
    assert lead(np.array([0.7])) == float("inf")
    assert output_range([np.array([3.0]), np.array([3.0])]) == 3.0
    assert output_range([np.array([1000.0]), np.array([1000.001])]) == pytest.approx(10, rel=1e-4)
    assert output_range([np.array([0.0])]) > 0


def test_a_silent_sample_has_no_direction_but_still_has_an_error() -> None:
    found = compare([[10, 0], [0.02, -0.01]], [[10, 0], [-0.02, 0.03]])
    assert found.cosine == 1.0
    assert found.max_abs == pytest.approx(0.04)
    assert compare([[10, 0], [0.02, -0.01]], [[10, 0], [-0.2, 0.3]]).cosine < 0  # the artefact is not silent
    assert compare([[0.02, -0.01]], [[-0.02, 0.03]]).cosine < 0  # nothing is loud: the range is its own
    assert np.isnan(compare([[10, 0], [0.02, -0.01]], [[10, 0], [float("nan"), 0]]).cosine)


@given(hnp.arrays(np.float32, (1, 4), elements=st.floats(-1e3, 1e3, width=32)))
def test_equal_outputs_always_pass(row: Any) -> None:
    found = figures([{"x": row}], [{"x": row.copy()}], ["x"], 0.0)
    assert found.max_abs == 0.0
    assert found.cosine == pytest.approx(1.0)
    assert judge(found, {"max_abs": 0.0, "cosine": 0.9999}) == ()


def test_each_limit_can_fail_and_says_its_figure() -> None:
    assert judge(GOOD, {"max_abs": 0.0, "cosine": 1.0}) == ()
    (reason,) = judge(replace(GOOD, relative=0.25), {"max_abs": 1e-4})
    assert "0.25 of the output's range, limit 0.0001" in reason
    (reason,) = judge(replace(GOOD, cosine=0.97), {"cosine": 0.98})
    assert "0.97, limit 0.98" in reason
    assert len(judge(replace(GOOD, relative=1.0, cosine=0.0, decisions_kept=0), {"max_abs": 0.1, "cosine": 0.5})) == 3


def test_thresholds_default_by_precision_and_the_artefact_wins() -> None:
    assert thresholds({}, "tflite", "float32") == {"max_abs": 1e-4, "margin": 0.0}
    assert thresholds({}, "coreml", "float16")["cosine"] == 0.9999
    assert thresholds({}, "tflite", "int8") == {"cosine": 0.98, "margin": 0.1}
    gates = {"int8": Gate(cosine=0.9, max_abs=0.5), "tflite/int8": Gate(cosine=0.99)}
    assert thresholds(gates, "tflite", "int8") == {"cosine": 0.99, "max_abs": 0.5, "margin": 0.1}
    assert thresholds(gates, "aot", "int8")["cosine"] == 0.9
    assert thresholds({}, "x", "int4") == thresholds({}, "x", "int8")


def test_a_waiver_is_found_for_the_artefact_first() -> None:
    gates = {"int8": Gate(waive="all"), "tflite/int8": Gate(waive="this one")}
    assert waiver(gates, "tflite", "int8") == "this one"
    assert waiver(gates, "onnx", "int8") == "all"
    assert waiver(gates, "onnx", "float32") is None
