"""Which output of a converted file is which output of the source: by value, since names and order differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.errors import ConvertError

Sample = Mapping[str, NDArray[Any]]


def match_outputs(expected: Sequence[Sample], got: Sequence[Sample]) -> dict[str, str]:
    """Return {source name: artefact's name}, one to one, from the outputs of both on the same probe inputs.

    Pairs are taken in the order of their distance (mean absolute difference over the source output's range);
    equal distances keep both files' order. Only outputs of equal size can be a pair. Raises ConvertError where
    a source output finds no partner.
    """
    sources, candidates = list(expected[0]), list(got[0])
    distances = sorted(
        (_distance(expected, source, got, candidate), abs(i - j), i, j)
        for i, source in enumerate(sources)
        for j, candidate in enumerate(candidates)
        if expected[0][source].size == got[0][candidate].size
    )
    pairs: dict[str, str] = {}
    for _, _, i, j in distances:
        if sources[i] not in pairs and candidates[j] not in pairs.values():
            pairs[sources[i]] = candidates[j]
    missing = [name for name in sources if name not in pairs]
    if missing:
        raise ConvertError(
            f"the converted file has no output for {missing[0]!r}",
            expected=f"outputs {sources}, found {candidates}",
        )
    return {name: pairs[name] for name in sources}


def _distance(expected: Sequence[Sample], source: str, got: Sequence[Sample], candidate: str) -> float:
    wanted = np.concatenate([sample[source].astype(np.float64).ravel() for sample in expected])
    found = np.concatenate([sample[candidate].astype(np.float64).ravel() for sample in got])
    shape_differs = expected[0][source].shape != got[0][candidate].shape
    if not (np.isfinite(wanted).all() and np.isfinite(found).all()):
        return float("inf")
    span = float(np.ptp(wanted)) if wanted.size else 0.0
    return float(np.abs(wanted - found).mean()) / (span or 1.0) + 1e6 * shape_differs if wanted.size else 0.0
