"""Metrics, intervals and average precision against values worked out by hand."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from packager.model.contract import Box, Classification, Detection, Detections, Label, Values
from packager.model.evaluation import LabelledBox
from packager.stages.evaluate import measure
from packager.stages.evaluate.boxes import average_precision, hits_of, match, mean_average_precision, overlap
from packager.stages.evaluate.measure import wilson
from packager.stages.evaluate.metrics import weighted
from packager.stages.verify.gate import judge_accuracy

ONE = Box(0, 0, 10, 10)


def says(label: str | None) -> Classification:
    return Classification(() if label is None else (Label(label, 0.9, 0),))


def found(label: str, score: float, box: Box) -> Detection:
    return Detection(label, score, 0, box)


def boxes(*rows: tuple[str, Box]) -> tuple[LabelledBox, ...]:
    return tuple(LabelledBox(label, box) for label, box in rows)


def shifted(by: float) -> Box:
    return Box(by, 0, 10 + by, 10)


def value(metric: str, truths: list, results: list, weights: list[float] | None = None) -> float:
    rows = np.array([weights or [1.0] * len(truths)])
    return float(weighted(metric, truths, results)(rows)[0])


def test_overlap_of_known_boxes() -> None:
    assert overlap(ONE, ONE) == 1.0
    assert overlap(ONE, shifted(5)) == pytest.approx(50 / 150)
    assert overlap(ONE, shifted(10)) == 0.0
    assert overlap(ONE, Box(2, 2, 4, 4)) == pytest.approx(4 / 100)
    assert overlap(Box(1, 1, 1, 1), Box(1, 1, 1, 1)) == 0.0


def test_a_labelled_box_is_hit_once_by_the_best_detection() -> None:
    detections = [found("a", 0.9, ONE), found("a", 0.8, ONE), found("a", 0.7, shifted(30))]
    assert match(detections, boxes(("a", ONE), ("a", shifted(30)))) == [True, False, True]


def test_a_detection_takes_the_free_box_that_it_overlaps_most() -> None:
    known = boxes(("a", shifted(3)), ("a", shifted(1)))
    assert match([found("a", 0.9, ONE), found("a", 0.8, shifted(2))], known) == [True, True]


def test_an_overlap_of_one_half_is_a_hit_and_less_is_none() -> None:
    half = Box(0, 0, 10, 5)  # 50 of 100
    assert match([found("a", 0.9, half)], boxes(("a", ONE))) == [True]
    assert match([found("a", 0.9, Box(0, 0, 10, 4.99))], boxes(("a", ONE))) == [False]


def test_average_precision_by_hand() -> None:
    # Best first: hit, miss, hit; two labelled boxes. Precision 1, 1/2, 2/3; monotone 1, 2/3, 2/3.
    # Recalls 0 ... 0.50 (51 of them) are reached by the first hit, 0.51 ... 1 (50) by the second.
    detections = [[found("a", 0.9, ONE), found("a", 0.8, shifted(50)), found("a", 0.7, shifted(20))]]
    known = [boxes(("a", ONE), ("a", shifted(20)))]
    expected = (51 * 1 + 50 * Fraction(2, 3)) / 101
    assert average_precision(hits_of("a", detections, known), np.ones(1)) == pytest.approx(float(expected), abs=1e-12)


def test_missed_boxes_leave_recalls_unreached() -> None:
    known = [boxes(("a", ONE)), boxes(("a", ONE)), boxes(("a", ONE))]
    hits = hits_of("a", [[found("a", 0.9, ONE)], [], []], known)
    assert average_precision(hits, np.ones(3)) == pytest.approx(34 / 101)  # recalls 0, 0.01, ..., 0.33
    assert average_precision(hits_of("a", [[], [], []], known), np.ones(3)) == 0.0
    assert math.isnan(average_precision(hits_of("b", [[], [], []], known), np.ones(3)))


def test_a_higher_scored_miss_in_an_empty_image_costs_precision() -> None:
    known = [boxes(("a", ONE)), ()]
    hits = hits_of("a", [[found("a", 0.5, ONE)], [found("a", 0.9, ONE)]], known)
    assert average_precision(hits, np.ones(2)) == pytest.approx(0.5)
    assert average_precision(hits, np.array([1.0, 0.0])) == pytest.approx(1.0)  # a resample without that image


def test_weights_are_repeated_images() -> None:
    detections = [[found("a", 0.9, ONE), found("a", 0.3, shifted(40))], [found("a", 0.6, shifted(40))], []]
    known = [boxes(("a", ONE)), boxes(("a", ONE)), boxes(("a", ONE))]
    repeated = [0, 0, 1, 2]
    whole = hits_of("a", [detections[i] for i in repeated], [known[i] for i in repeated])
    weights = np.array([2.0, 1.0, 1.0])
    assert average_precision(hits_of("a", detections, known), weights) == pytest.approx(
        average_precision(whole, np.ones(4))
    )


def test_the_mean_is_over_labelled_classes_only() -> None:
    detections = [[found("a", 0.9, ONE), found("ghost", 0.9, ONE)]]
    known = [boxes(("a", ONE), ("b", ONE))]
    classes = [hits_of(label, detections, known) for label in ("a", "b")]
    assert mean_average_precision(classes, np.ones(1)) == pytest.approx(0.5)
    assert value("map50", known, [Detections(tuple(detections[0]))]) == pytest.approx(0.5)


def test_only_the_best_hundred_of_an_image_count() -> None:
    many = [found("a", 1 - i / 1000, shifted(50)) for i in range(100)]
    assert average_precision(hits_of("a", [[*many, found("a", 0.1, ONE)]], [boxes(("a", ONE))]), np.ones(1)) == 0.0


def test_top1_counts_right_best_labels() -> None:
    assert value("top1", ["a", "b", "a", "a"], [says("a"), says("a"), says("a"), says(None)]) == 0.5
    assert value("top1", ["a", "b"], [says("a"), says("a")], [3, 1]) == 0.75


def test_macro_f1_by_hand() -> None:
    # a: tp 2, fp 1, fn 1 -> 4/6. b: tp 1, fp 1, fn 1 -> 2/4. c is never a label: it is only a false alarm.
    truths = ["a", "a", "a", "b", "b"]
    results = [says("a"), says("a"), says("b"), says("b"), says("a")]
    assert value("f1", truths, results) == pytest.approx((4 / 6 + 2 / 4) / 2)
    assert value("f1", ["a", "a"], [says("a"), says("c")]) == pytest.approx(2 / 3)


def test_mean_absolute_error_by_hand() -> None:
    results = [Values((1.0, 2.0), (2,)), Values((0.0, 0.0), (2,))]
    assert value("mae", [(1.0, 4.0), (3.0, 3.0)], results) == pytest.approx((1.0 + 3.0) / 2)


def test_wilson_interval_of_known_cases() -> None:
    # R: binom::binom.confint(8, 10, methods = "wilson")
    assert wilson(8, 10) == pytest.approx((0.4901625, 0.9433178), abs=1e-6)
    low, high = wilson(0, 20)
    assert (low, high) == (0.0, pytest.approx(0.1611252, abs=1e-6))
    assert wilson(20, 20)[1] == 1.0


def test_a_drop_is_positive_where_the_artefact_is_worse() -> None:
    truths = ["a"] * 100
    source = [says("a")] * 93 + [says("b")] * 7
    artefact = [says("a")] * 92 + [says("b")] * 8
    made = measure("top1", truths, source, artefact, 0.01)
    assert (made.source.value, made.artifact.value, made.n) == (0.93, 0.92, 100)
    assert made.drop.value == pytest.approx(0.01)
    assert judge_accuracy(made) == ()  # 0.93 - 0.92 is 0.010000000000000009 in floats
    assert made.drop.low <= 0.01 <= made.drop.high
    errors = measure("mae", [(0.0,)] * 4, [Values((1.0,), (1,))] * 4, [Values((1.5,), (1,))] * 4, 0.1)
    assert errors.drop.value == pytest.approx(0.5)
    (reason,) = judge_accuracy(errors)
    assert "mae on 4 labelled samples is 1.5, the source's 1: worse by 0.5" in reason
    assert "limit 0.1" in reason


def test_the_same_results_have_no_drop_and_no_interval_around_it() -> None:
    results = [says("a"), says("b"), says("b")]
    made = measure("f1", ["a", "b", "a"], results, results, 0.0)
    assert (made.drop.value, made.drop.low, made.drop.high) == (0.0, 0.0, 0.0)
    assert made.source == made.artifact
    assert made.source.low < made.source.value < made.source.high


def test_the_bootstrap_is_paired_and_repeatable() -> None:
    truths = [str(i % 5) for i in range(200)]
    source = [says(t if i % 4 else "x") for i, t in enumerate(truths)]
    artefact = [says(r.labels[0].label if i else "x") for i, r in enumerate(source)]
    first = measure("top1", truths, source, artefact, 0.1)
    assert first == measure("top1", truths, source, artefact, 0.1)
    # The one sample that differs decides the drop's interval; unpaired it would be as wide as the source's.
    assert first.drop.high - first.drop.low < 0.1 * (first.source.high - first.source.low) + 0.02


def test_the_bootstrap_covers_the_normal_interval_of_a_mean() -> None:
    generator = np.random.default_rng(3)
    errors = generator.uniform(0, 1, 400)
    results = [Values((float(e),), (1,)) for e in errors]
    made = measure("mae", [(0.0,)] * 400, results, results, 0.0)
    half = 1.96 * errors.std() / 20
    assert made.source.low == pytest.approx(errors.mean() - half, abs=0.15 * half)
    assert made.source.high == pytest.approx(errors.mean() + half, abs=0.15 * half)


def test_what_could_not_be_measured_fails_in_words() -> None:
    assert judge_accuracy("outputs on labelled data are not finite") == ("outputs on labelled data are not finite",)
