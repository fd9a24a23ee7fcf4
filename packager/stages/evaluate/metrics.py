"""Metrics over weighted samples, so that a resample is a vector of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import Classification, Detections, Embedding, Result, Values
from packager.model.evaluation import LabelledBox, Truth
from packager.stages.evaluate.boxes import hits_of, mean_average_precision

Floats = NDArray[np.float64]
Weighted = Callable[[Floats], Floats]
"""The metric for each row of weights: float64 [resamples, n] -> float64 [resamples]."""

HIGHER_IS_BETTER = {"top1": True, "f1": True, "mae": False, "map50": True}


def weighted(metric: str, truths: Sequence[Truth], results: Sequence[Result]) -> Weighted:
    """The metric of these results as a function of the samples' weights."""
    return _METRICS[metric](truths, results)


def best_label(result: Result) -> str | None:
    """The best label of a classification; None where it gives none."""
    if not isinstance(result, Classification):
        raise TypeError(f"a classification is judged here, not {type(result).__name__}")
    return result.labels[0].label if result.labels else None


def correct(truths: Sequence[Truth], results: Sequence[Result]) -> Floats:
    """1 for each sample whose best label is the known one, else 0."""
    pairs = zip(truths, results, strict=True)
    return np.array([best_label(result) == truth for truth, result in pairs], np.float64)


def _top1(truths: Sequence[Truth], results: Sequence[Result]) -> Weighted:
    right = correct(truths, results)
    return lambda weights: np.asarray(weights @ right / weights.sum(axis=1), np.float64)


def _f1(truths: Sequence[Truth], results: Sequence[Result]) -> Weighted:
    """Macro F1: the mean of 2 tp / (2 tp + fp + fn) over the classes that occur among the labels."""
    classes = sorted({str(truth) for truth in truths})
    known = np.array([[truth == name for name in classes] for truth in truths], np.float64)
    found = np.array([[best_label(result) == name for name in classes] for result in results], np.float64)

    def value(weights: Floats) -> Floats:
        true = 2 * (weights @ (known * found))
        labelled = weights @ known
        total = labelled + weights @ found
        scores = np.divide(true, total, out=np.zeros_like(true), where=total > 0)
        present = labelled > 0
        return np.asarray((scores * present).sum(axis=1) / present.sum(axis=1), np.float64)

    return value


def numbers(result: Result) -> tuple[float, ...]:
    """The numbers of a result."""
    if not isinstance(result, Values | Embedding):
        raise TypeError(f"numbers are judged here, not {type(result).__name__}")
    return result.values


def _mae(truths: Sequence[Truth], results: Sequence[Result]) -> Weighted:
    """Mean over samples of the mean absolute error of a sample's numbers."""
    errors = np.array([_error(truth, numbers(result)) for truth, result in zip(truths, results, strict=True)])
    return lambda weights: np.asarray(weights @ errors / weights.sum(axis=1), np.float64)


def _error(truth: Truth, found: tuple[float, ...]) -> float:
    return float(np.mean(np.abs(np.asarray(found, np.float64) - np.asarray(truth, np.float64))))


def _map50(truths: Sequence[Truth], results: Sequence[Result]) -> Weighted:
    known = [[box for box in truth if isinstance(box, LabelledBox)] for truth in truths]
    found = []
    for result in results:
        if not isinstance(result, Detections):
            raise TypeError(f"detections are judged here, not {type(result).__name__}")
        found.append(result.detections)
    labels = sorted({box.label for boxes in known for box in boxes})
    classes = [hits_of(label, found, known) for label in labels]
    return lambda weights: np.array([mean_average_precision(classes, row) for row in weights], np.float64)


_METRICS: dict[str, Callable[[Sequence[Truth], Sequence[Result]], Weighted]] = {
    "top1": _top1,
    "f1": _f1,
    "mae": _mae,
    "map50": _map50,
}
