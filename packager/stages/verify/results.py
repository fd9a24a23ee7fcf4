"""Agreement of typed results, and how near another processor's result must come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import Chain, Detection, Detections, Embedding, Landmarks, Result, Values
from packager.model.golden import SampleGolden
from packager.model.plan import Plan
from packager.plan.reference import StepFailedError, run_output, size_of
from packager.registry import Catalog

PIXEL_SHARE = 10.0
"""Tolerance of a place: this times the output's own tolerance (of its range), of the image's longer side."""


def decisions(
    goldens: Sequence[SampleGolden],
    got: Sequence[Mapping[str, NDArray[Any]]],
    plan: Plan,
    catalog: Catalog,
    margin: float,
) -> tuple[int, int, int]:
    """(kept, made, undecided) of the results whose decision is more than the largest raw value: Detections.

    A decision is kept where the source and the artefact find the same labels, each as often. It is undecided where
    they differ only in detections whose score is at most `margin` of the scores' range above the lowest one.
    """
    kept = made = undecided = 0
    for chain in plan.outputs:
        sources = [golden.results[chain.name] for golden in goldens]
        if not all(isinstance(result, Detections) for result in sources):
            continue
        results = [_result(catalog, chain, outputs, golden) for outputs, golden in zip(got, goldens, strict=True)]
        weak = _weak(sources, results, margin)
        for want, have in zip(sources, results, strict=True):
            made += 1
            if have is None:
                continue
            same = _labels(want, None) == _labels(have, None)
            kept += int(same)
            undecided += int(not same and margin > 0 and _labels(want, weak) == _labels(have, weak))
    return kept, made, undecided


def _result(catalog: Catalog, chain: Chain, outputs: Mapping[str, Any], golden: SampleGolden) -> Result | None:
    try:
        result: Result = run_output(catalog, chain, outputs, golden.decoded)
    except StepFailedError:
        return None
    return result


def _detected(result: Result | None) -> tuple[Detection, ...]:
    return result.detections if isinstance(result, Detections) else ()


def _weak(sources: Sequence[Result], results: Sequence[Result | None], margin: float) -> float:
    scores = [found.score for result in (*sources, *results) for found in _detected(result)]
    return min(scores) + margin * (max(scores) - min(scores)) if scores else 0.0


def _labels(result: Result, above: float | None) -> Counter[str]:
    return Counter(found.label for found in _detected(result) if above is None or found.score > above)


def result_range(results: Sequence[Result]) -> float:
    """Largest minus smallest number of Values or Embeddings over all samples; 0 for other kinds."""
    numbers = [n for result in results if isinstance(result, Values | Embedding) for n in result.values]
    return float(np.ptp(numbers)) if numbers else 0.0


def pixel_tolerance(chain: Chain, result: Result, share: float, golden: SampleGolden) -> float:
    """Tolerance in pixels of the places in a result; 0 where it has none."""
    if not isinstance(result, Detections | Landmarks) or not chain.photo:
        return 0.0
    size = size_of(golden.decoded[chain.photo])
    return float(np.float32(PIXEL_SHARE * share * max(size.width, size.height)))
