"""The metric of source and artefact, its drop, and 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import Result
from packager.model.evaluation import Accuracy, Estimate, Truth
from packager.stages.evaluate.metrics import HIGHER_IS_BETTER, Weighted, correct, weighted

RESAMPLES = 2000
SEED = 0
_Z = 1.959963984540054  # 97.5 % of the standard normal distribution
_CHUNK = 100
_BOOTSTRAP = f"paired bootstrap over the samples ({RESAMPLES:,} resamples, seed {SEED}, 2.5 and 97.5 percentiles)"

Floats = NDArray[np.float64]


def measure(
    metric: str, truths: Sequence[Truth], source: Sequence[Result], artifact: Sequence[Result], max_drop: float
) -> Accuracy:
    """Compare two sets of results on the same labelled samples (at least one)."""
    n = len(truths)
    sign = 1.0 if HIGHER_IS_BETTER[metric] else -1.0
    ours, theirs = weighted(metric, truths, artifact), weighted(metric, truths, source)
    resampled = _resampled(n, (theirs, ours))
    whole = np.ones((1, n))
    before, after = float(theirs(whole)[0]), float(ours(whole)[0])
    if metric == "top1":
        intervals = [wilson(int(correct(truths, results).sum()), n) for results in (source, artifact)]
        method = f"Wilson for top1, {_BOOTSTRAP} for its drop"
    else:
        intervals = [_percentiles(values) for values in resampled]
        method = _BOOTSTRAP
    drop = _percentiles(sign * (resampled[0] - resampled[1]))
    return Accuracy(
        metric=metric,
        n=n,
        source=Estimate(before, *intervals[0]),
        artifact=Estimate(after, *intervals[1]),
        drop=Estimate(sign * (before - after), *drop),
        max_drop=max_drop,
        method=method,
    )


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % score interval of a proportion (E. B. Wilson, JASA 22, 1927), inside 0 to 1."""
    share, spread = hits / n, _Z * _Z / n
    middle = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return (0.0 if hits == 0 else max(low, 0.0)), (1.0 if hits == n else min(high, 1.0))


def _resampled(n: int, metrics: Sequence[Weighted]) -> list[Floats]:
    """Each metric on the same resamples: the samples drawn n times with replacement."""
    generator = np.random.default_rng(SEED)
    found: list[list[Floats]] = [[] for _ in metrics]
    for _ in range(RESAMPLES // _CHUNK):
        drawn = generator.integers(0, n, (_CHUNK, n))
        weights = np.stack([np.bincount(row, minlength=n) for row in drawn]).astype(np.float64)
        for values, metric in zip(found, metrics, strict=True):
            values.append(metric(weights))
    return [np.concatenate(values) for values in found]


def _percentiles(values: Floats) -> tuple[float, float]:
    """2.5 and 97.5 percentiles; a resample in which the metric has no value is left out."""
    known = values[~np.isnan(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
