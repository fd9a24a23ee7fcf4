"""The steps of series and bytes, and errors and limits of numbers: formulas and refusals."""

from __future__ import annotations

import json
import sys
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from file_contents import contents
from proof import FORMULA, equal, seen

from packager.model.contract import BytesType, ImageType, SeriesType, StepMismatchError, TensorsType, TensorType
from packager.steps import head_tail, reconstruction_error, reshape, scale, standardize, threshold, window

FLOAT = TensorType("float32", (1, 4, 3))
MAGIKA = {"head": 1024, "tail": 1024, "block": 4096, "strip": True, "pad": 256, "dtype": "int32"}


def windows(**params: Any) -> window.Params:
    return window.Params.model_validate(params)


@given(st.integers(1, 30), st.integers(1, 9), st.integers(1, 7), st.integers(1, 4), st.sampled_from(["first", "last"]))
@settings(derandomize=True, deadline=None)
def test_windows_are_slices_with_zeros_around(rows: int, length: int, hop: int, count: int, at: str) -> None:
    value = np.arange(1, 2 * rows + 1, dtype=np.float32).reshape(rows, 2)
    bound = windows(length=length, hop=hop, count=count, at=at, short="pad")
    needed = length + (count - 1) * hop
    start = 0 if at == "first" else rows - needed
    found = window.apply(bound, value)
    assert found.shape == window.result_type(bound, SeriesType(2, 30)).shape  # type: ignore[union-attr]
    good = True
    for index, got in enumerate(found.reshape(count, length, 2)):
        for offset, row in enumerate(got):
            source = start + index * hop + offset
            good = good and row.tolist() == (value[source].tolist() if 0 <= source < rows else [0, 0])
    equal("window", FORMULA, good)


def test_window_refuses_what_is_too_short() -> None:
    bound = windows(length=8, at="last")
    assert window.apply(bound, np.zeros((8, 3), np.float32)).shape == (1, 8, 3)
    with pytest.raises(ValueError, match="8 rows are needed, got 7"):
        window.apply(bound, np.zeros((7, 3), np.float32))
    with pytest.raises(StepMismatchError, match="need 8 rows, but at most 7"):
        window.result_type(bound, SeriesType(3, 7))
    with pytest.raises(StepMismatchError, match="works on a series"):
        window.result_type(bound, FLOAT)


def test_scale_rounds_each_operation() -> None:
    value = np.array([[[0.1, 3e38, -7.3], [1e-3, 5.5, 2.0]]], np.float32)
    bound = scale.Params.model_validate({"factor": [9.80665, 2, 0.1], "offset": 1e-3})
    found = scale.apply(bound, value)
    assert found.dtype == np.float32
    with np.errstate(over="ignore"):
        product = value * np.array([9.80665, 2, 0.1], np.float32)
    seen("scale", FORMULA, found, product + np.float32(1e-3))
    np.testing.assert_array_equal(found, product + np.float32(1e-3))


@pytest.mark.parametrize(
    "bad", [{"factor": []}, {"factor": float("nan")}, {"factor": True}, {"factor": 1, "offset": "x"}]
)
def test_scale_parameters_are_checked(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"factor|offset"):
        scale.Params.model_validate(bad)


def test_scale_needs_a_number_for_each_channel() -> None:
    with pytest.raises(StepMismatchError, match="2 numbers in `offset`, but the value has 3 channels"):
        scale.result_type(scale.Params.model_validate({"factor": 1, "offset": [1, 2]}), FLOAT)


@pytest.mark.parametrize("like", ["tensorflow", "keras"])
def test_standardize_of_a_channel_knows_only_that_channel(like: Any) -> None:
    rng = np.random.default_rng(4)
    value = (rng.standard_normal((1, 50, 3)) * [1, 20, 0] + [0, 5, 7]).astype(np.float32)
    found = standardize.apply(standardize.Params(like=like, per="channel"), value)
    whole = standardize.Params(like=like)
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], standardize.apply(whole, value[..., channel]))
    np.testing.assert_allclose(found.std(axis=(0, 1)), [1, 1, 0], atol=1e-5)
    with pytest.raises(StepMismatchError, match="works on a float32 tensor"):
        standardize.result_type(standardize.Params(like=like, per="channel"), ImageType(4, 4, "rgb", 16))


def test_reshape_keeps_numbers_in_order() -> None:
    value = np.arange(12, dtype=np.float32).reshape(1, 4, 3)
    bound = reshape.Params(shape=[1, 4, 3, 1])
    assert reshape.result_type(bound, FLOAT) == TensorType("float32", (1, 4, 3, 1))
    seen("reshape", FORMULA, reshape.apply(bound, value), value[..., None])
    np.testing.assert_array_equal(reshape.apply(bound, value), value[..., None])
    with pytest.raises(StepMismatchError, match="is 10 numbers"):
        reshape.result_type(reshape.Params(shape=[2, 5]), FLOAT)


def test_the_ends_of_files_are_magikas() -> None:
    """CRC-32 of its features, from magika 1.0.3 (magika_oracle.py)."""
    expected = json.loads(Path(__file__).with_name("vectors").joinpath("magika_features.json").read_text("utf-8"))
    bound = head_tail.Params.model_validate(MAGIKA)
    values = [head_tail.apply(bound, np.frombuffer(content, np.uint8)) for content in contents()]
    assert len(values) == len(expected) > 10
    for value, crc in zip(values, expected, strict=True):
        equal("head_tail", "magika 1.0.3", zlib.crc32(value.astype("<i4").tobytes()) == crc)


def test_head_tail_says_what_comes_out() -> None:
    bound = head_tail.Params.model_validate({**MAGIKA, "dtype": "float32", "tail": 0})
    assert head_tail.result_type(bound, BytesType(100)) == TensorType("float32", (1, 1024))
    with pytest.raises(StepMismatchError, match="works on bytes"):
        head_tail.result_type(bound, FLOAT)
    with pytest.raises(ValueError, match="both 0"):
        head_tail.Params.model_validate({**MAGIKA, "head": 0, "tail": 0})


@given(st.lists(st.tuples(st.floats(-100, 100, width=32), st.floats(-100, 100, width=32)), min_size=1, max_size=20))
@settings(derandomize=True, deadline=None)
def test_errors_are_means(pairs: list[tuple[float, float]]) -> None:
    output, given_back = (np.array([column], np.float32) for column in zip(*pairs, strict=True))
    for metric, mean in (
        ("mse", sum(Fraction(a - b) * Fraction(a - b) for a, b in pairs) / len(pairs)),
        ("mae", sum(abs(Fraction(a - b)) for a, b in pairs) / len(pairs)),
    ):
        bound = reconstruction_error.Params.model_validate({"metric": metric})
        found = reconstruction_error.apply(bound, (output, given_back))
        assert found.shape == (1, 1)
        seen("reconstruction_error", FORMULA, found, float(mean))
        assert found.item() == pytest.approx(float(mean), rel=1e-6, abs=1e-30)
        worst = max(abs(a - b) for a, b in pairs)
        step = 0.01 * worst
        moved = float(np.mean(np.abs(np.float64(output) - given_back) ** (2 if metric == "mse" else 1)))
        further = output + np.where(output >= given_back, np.float32(step), np.float32(-step))
        most = reconstruction_error.reach(bound, (output, given_back), step)
        there = float(np.mean(np.abs(np.float64(further) - given_back) ** (2 if metric == "mse" else 1)))
        assert there - moved == pytest.approx(most, rel=1e-3, abs=1e-9)


@given(st.lists(st.tuples(st.floats(-9, 9, width=32), st.floats(-9, 9, width=32)), min_size=1, max_size=20))
@settings(derandomize=True, deadline=None)
def test_errors_of_two_outputs_move_with_both(pairs: list[tuple[float, float]]) -> None:
    one, other = (np.array([column], np.float64) for column in zip(*pairs, strict=True))
    away = np.where(one >= other, 0.25, -0.25)
    for metric, power in (("mse", 2), ("mae", 1)):
        bound = reconstruction_error.Params.model_validate({"metric": metric})
        before, after = (
            float(np.mean(np.abs(a - b) ** power)) for a, b in ((one, other), (one + away, other - 0.5 * away))
        )
        most = reconstruction_error.reach(bound, (one, other), 0.25 + 0.125)
        assert after - before == pytest.approx(most, rel=1e-9)


def test_errors_need_two_tensors_of_one_size() -> None:
    bound = reconstruction_error.Params(metric="mse")
    pair = TensorsType((FLOAT, TensorType("float32", (12,))))
    assert reconstruction_error.result_type(bound, pair) == TensorType("float32", (1, 1))
    with pytest.raises(StepMismatchError, match="compares two tensors"):
        reconstruction_error.result_type(bound, FLOAT)
    with pytest.raises(StepMismatchError, match=r"cannot compare float32\[1,4,3\] and float32\[11\]"):
        reconstruction_error.result_type(bound, TensorsType((FLOAT, TensorType("float32", (11,)))))


@pytest.mark.parametrize(("value", "label", "index"), [(0.1, "normal", 0), (0.11, "anomaly", 1), (-3.0, "normal", 0)])
def test_threshold_names_one_side(value: float, label: str, index: int) -> None:
    bound = threshold.Params(limit=0.1, below="normal", above="anomaly")
    (found,) = threshold.apply(bound, np.array([[value]], np.float32)).labels
    equal("threshold", FORMULA, (found.label, found.index, found.score) == (label, index, float(np.float32(value))))


def test_threshold_takes_one_finite_number() -> None:
    bound = threshold.Params(limit=0.1, below="normal", above="anomaly")
    with pytest.raises(ValueError, match="not finite"):
        threshold.apply(bound, np.array([[np.nan]], np.float32))
    with pytest.raises(StepMismatchError, match="takes one number"):
        threshold.result_type(bound, FLOAT)
