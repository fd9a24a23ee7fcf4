"""Agreement of two sets of outputs in figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.model.artifact import Figures

Outputs = Mapping[str, NDArray[Any]]
NARROW = 0.01
"""Least range, as a share of the largest magnitude: below it an error is that of float32 itself."""
SILENT = 0.01
"""Share of an output's range over all samples up to which a sample's values are as good as zero."""


@np.errstate(invalid="ignore", over="ignore")
def figures(source: Sequence[Outputs], got: Sequence[Outputs], decided: Sequence[str], margin: float) -> Figures:
    """Compare outputs by name, sample by sample.

    `decided` names the outputs whose largest element (last axis, first row) is a decision. A decision counts as
    undecided where the source's first minus second score is at most `margin` of the output's range over all
    samples. Where both have no value above `SILENT` of that range (a mask without a person, a score near zero) there
    is no direction to compare, and the cosine is 1. Non-finite values are counted, and poison the other figures on
    purpose.
    """
    errors: list[float] = []
    means: list[float] = []
    relative: list[float] = []
    cosines: list[float] = []
    kept = decisions = undecided = 0
    for name in source[0]:
        reach = output_range([sample[name] for sample in source])
        for a, b in zip(source, got, strict=True):
            want, have = a[name].astype(np.float64).ravel(), b[name].astype(np.float64).ravel()
            error = np.abs(want - have)
            errors.append(float(error.max(initial=0.0)))
            means.append(float(error.mean()) if error.size else 0.0)
            relative.append(errors[-1] / reach)
            cosines.append(1.0 if _loudest(want, have) <= SILENT * reach else cosine(want, have))
            if name in decided:
                decisions += 1
                kept += int(np.argmax(want) == np.argmax(have))
                undecided += int(lead(want) <= margin * reach and np.argmax(want) != np.argmax(have))
    bad = sum(int(np.sum(~np.isfinite(array))) for sample in got for array in sample.values())
    return Figures(
        max_abs=worst(errors, max),
        mean_abs=float(np.mean(means)),
        relative=worst(relative, max),
        cosine=worst(cosines, min),
        decisions_kept=kept,
        decisions=decisions,
        undecided=undecided,
        non_finite=bad,
        samples=len(source),
    )


def _loudest(*arrays: NDArray[np.float64]) -> float:
    """Largest magnitude; NaN where one of the values is."""
    return float(np.max([np.abs(array).max(initial=0.0) for array in arrays]))


def worst(values: Sequence[float], pick: Any) -> float:
    """Largest or smallest value; NaN wins, where `max` and `min` would hide it."""
    return float("nan") if any(math.isnan(v) for v in values) else float(pick(values))


def output_range(arrays: Sequence[NDArray[Any]]) -> float:
    """Largest minus smallest value over all samples; never 0: of values that hardly differ a share of their size."""
    low = min(float(array.min()) for array in arrays)
    high = max(float(array.max()) for array in arrays)
    size = max(abs(low), abs(high))
    return max(high - low or size, NARROW * size, 1e-12)


def cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Cosine similarity; 1 for two zero vectors, 0 where only one is zero."""
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norms == 0.0:
        return 1.0 if not a.any() and not b.any() else 0.0
    return float(np.dot(a, b) / norms)


def lead(scores: NDArray[np.float64]) -> float:
    """First minus second score."""
    if scores.size < 2:
        return float("inf")
    top = np.partition(scores, -2)[-2:]
    return float(top[1] - top[0])
