"""Agreement of typed results, and how near another processor's result must come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.model.contract import (
    Chain,
    Classification,
    Detection,
    Detections,
    Embedding,
    Label,
    Landmarks,
    Result,
    ResultType,
    TensorType,
    Values,
)
from packager.model.golden import SampleGolden
from packager.model.plan import Plan
from packager.plan.reference import StepFailedError, run_output, size_of
from packager.registry import Catalog
from packager.stages.verify.figures import output_range

PIXEL_SHARE = 10.0
"""Tolerance of a place: this times the output's own tolerance (of its range), of the image's longer side."""


def decided_by_largest(chain: Chain) -> bool:
    """Whether a result's decision is the largest element of the output's one tensor."""
    start = chain.start
    several = isinstance(start, TensorType) and start.size > 1
    return chain.end == ResultType("Classification") and several


def decisions(
    goldens: Sequence[SampleGolden],
    got: Sequence[Mapping[str, NDArray[Any]]],
    plan: Plan,
    catalog: Catalog,
    margin: float,
) -> tuple[int, int, int]:
    """(kept, made, undecided) of the results whose decision is not an output's largest element.

    Detections: a decision is kept where the source and the artefact find the same labels, each as often. It is
    undecided where they differ only in detections whose score is at most `margin` of the scores' range above the
    lowest one.

    Classification of one number, or of several tensors: kept where the best label is the same. Two answers on
    different sides of a limit lie around it, so the source's score is no further from it than the two scores are
    from each other: undecided where that is at most `margin` of the scores' range over all samples.
    """
    kept = made = undecided = 0
    for chain in plan.outputs:
        sources = [golden.results[chain.name] for golden in goldens]
        judge = _judge(chain, sources)
        if judge is None:
            continue
        results = [_result(catalog, chain, outputs, golden) for outputs, golden in zip(got, goldens, strict=True)]
        for same, near in judge(sources, results, margin):
            made += 1
            kept += int(same)
            undecided += int(not same and near)
    return kept, made, undecided


Judge = Callable[[Sequence[Result], Sequence[Result | None], float], Iterator[tuple[bool, bool]]]
"""For each sample: whether the decision is the same, and whether the margin excuses another one."""


def _judge(chain: Chain, sources: Sequence[Result]) -> Judge | None:
    if all(isinstance(result, Detections) for result in sources):
        return _judge_detections
    single = all(isinstance(result, Classification) for result in sources)
    return _judge_labels if single and not decided_by_largest(chain) else None


def _judge_detections(
    sources: Sequence[Result], results: Sequence[Result | None], margin: float
) -> Iterator[tuple[bool, bool]]:
    weak = _weak(sources, results, margin)
    for want, have in zip(sources, results, strict=True):
        if have is None:
            yield False, False
        else:
            same = _labels(want, None) == _labels(have, None)
            yield same, margin > 0 and _labels(want, weak) == _labels(have, weak)


def _judge_labels(
    sources: Sequence[Result], results: Sequence[Result | None], margin: float
) -> Iterator[tuple[bool, bool]]:
    scores = [_best(result).score for result in sources]
    reach = output_range([np.array(scores)])
    for want, have in zip(sources, results, strict=True):
        if have is None:
            yield False, False
        else:
            one, other = _best(want), _best(have)
            yield one.label == other.label, abs(one.score - other.score) <= margin * reach


def _best(result: Result) -> Label:
    """The first label; one without a name where none is above the threshold."""
    labels = result.labels if isinstance(result, Classification) else ()
    return labels[0] if labels else Label("", 0.0, -1)


def _result(catalog: Catalog, chain: Chain, outputs: Mapping[str, Any], golden: SampleGolden) -> Result | None:
    try:
        result: Result = run_output(catalog, chain, outputs, golden.model_inputs, golden.decoded)
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
