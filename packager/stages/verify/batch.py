"""A free batch, proven: several samples in one run must give what each gives alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.model.artifact import Artifact, BatchCheck
from packager.stages.verify.figures import figures
from packager.stages.verify.gate import judge

Arrays = Mapping[str, NDArray[Any]]
BATCH = 3


def batch_feeds(samples: Sequence[Arrays], free: Sequence[str]) -> list[dict[str, NDArray[Any]]]:
    """`BATCH` single feeds, and one of them all: joined along the first axis where the batch is `free`.

    `samples` are an artefact's own inputs by source name. Where they are too few, the same values are taken turned, so
    that no two are alike. Inputs whose batch is not free keep the first sample's value throughout.
    """
    singles = []
    for index in range(BATCH):
        turns, taken = divmod(index, len(samples))
        own = {name: np.roll(samples[taken][name], turns) for name in free}
        singles.append({**samples[0], **own})
    joined = {name: np.concatenate([single[name] for single in singles]) for name in free}
    return [*singles, {**samples[0], **joined}]


def lost_batch(artifact: Artifact, free: Sequence[str]) -> str | None:
    """In words, the input whose batch the converter fixed although it was to stay free; None where there is none."""
    fixed = [port.source for port in artifact.inputs if port.source in free and not port.free]
    return f"the batch of input {fixed[0]!r} is not free in the file" if fixed else None


def judge_batch(
    answers: Sequence[Arrays], limits: Mapping[str, float], real: Callable[[Arrays], Arrays]
) -> tuple[BatchCheck | None, tuple[str, ...]]:
    """Compare the last of `answers` (raw outputs by source name) with the others, which are its samples alone.

    `real` turns raw outputs into the source's units. Thresholds are the artefact's own. An output that is the same for
    every sample and has no batch is compared as it is.
    """
    *singles, joined = [real(answer) for answer in answers]
    parts: list[dict[str, NDArray[Any]]] = [{} for _ in singles]
    for name, got in joined.items():
        for part, value in zip(parts, _split(got, [single[name] for single in singles]), strict=True):
            part[name] = value
        if any(part[name].shape != single[name].shape for part, single in zip(parts, singles, strict=True)):
            what = f"output {name!r} of a batch of {len(singles)} has the shape {list(got.shape)}"
            return None, (f"{what}, a single one has {list(singles[0][name].shape)}",)
    found = figures(singles, parts, (), 0.0)
    reasons = tuple(f"batch of {len(singles)}: {reason}" for reason in judge(found, limits))
    return BatchCheck(len(singles), found), reasons


def _split(got: NDArray[Any], singles: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """One part for each sample; an output that does not depend on the sample, and has no batch, for each of them."""
    constant = got.shape == singles[0].shape and all(np.array_equal(single, singles[0]) for single in singles)
    if constant or got.ndim == 0 or got.shape[0] % len(singles):
        return [got] * len(singles)
    return list(np.split(got, len(singles)))
