"""The gate: thresholds by precision, what a manifest changes, and the verdict in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from packager.model.artifact import Figures
from packager.model.evaluation import Accuracy
from packager.model.manifest import Gate

DEFAULT_GATES: Mapping[str, Mapping[str, float]] = {
    "float32": {"max_abs": 1e-4, "margin": 0.0},
    "float16": {"cosine": 0.9999, "margin": 0.0},
    "int8": {"cosine": 0.98, "margin": 0.1},
    "int8-dynamic": {"cosine": 0.98, "margin": 0.1},
}
"""`max_abs` and `margin` are relative to the output's range; the design's section 8 gives the figures."""

SLACK = 1e-9
"""Metrics are fractions: 0.93 - 0.92 is a little above 0.01."""


def thresholds(gates: Mapping[str, Gate], runtime: str, precision: str) -> dict[str, float]:
    """Thresholds of one artefact: defaults, then the manifest's for the precision, then for the artefact."""
    found = dict(DEFAULT_GATES.get(precision, DEFAULT_GATES["int8"]))
    for key in (precision, f"{runtime}/{precision}"):
        gate = gates.get(key)
        if gate is not None:
            found |= gate.model_dump(include={"max_abs", "cosine", "margin"}, exclude_none=True)
    return found


def waiver(gates: Mapping[str, Gate], runtime: str, precision: str) -> str | None:
    """Reason for shipping although the gate failed, if the manifest gives one."""
    for key in (f"{runtime}/{precision}", precision):
        gate = gates.get(key)
        if gate is not None and gate.waive:
            return gate.waive
    return None


def judge(found: Figures, limits: Mapping[str, float]) -> tuple[str, ...]:
    """Reasons why the gate fails; empty where it passes."""
    reasons = []
    if found.non_finite:
        reasons.append(f"{found.non_finite} output values are not finite")
    if "max_abs" in limits and not found.relative <= limits["max_abs"]:
        reasons.append(f"largest error is {_shown(found.relative)} of the output's range, limit {limits['max_abs']:g}")
    if "cosine" in limits and not found.cosine >= limits["cosine"]:
        reasons.append(f"cosine similarity is {_shown(found.cosine)}, limit {limits['cosine']:g}")
    lost = found.decisions - found.decisions_kept - found.undecided
    if lost > 0:
        reasons.append(f"{lost} of {found.decisions} decisions changed")
    return tuple(reasons)


def judge_accuracy(found: Accuracy | str) -> tuple[str, ...]:
    """Reasons why an artefact fails on labelled data; `found` in words where it could not be measured."""
    if isinstance(found, str):
        return (found,)
    if found.drop.value <= found.max_drop + SLACK:
        return ()
    reason = (
        f"{found.metric} on {found.n} labelled samples is {_shown(found.artifact.value)}, the source's "
        f"{_shown(found.source.value)}: worse by {_shown(found.drop.value)} (95 % interval {_shown(found.drop.low)} to "
        f"{_shown(found.drop.high)}), limit {found.max_drop:g}"
    )
    return (reason,)


def _shown(value: float) -> str:
    return "not a number" if math.isnan(value) else f"{value:.6g}"
