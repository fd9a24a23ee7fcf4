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

    `samples` are an artefact's own inputs by source name. Where they are too few, the same values are taken turned. One
    that is the first over again (all its numbers are equal) is changed, so that one answer for all is seen. Inputs
    whose batch is not free keep the first sample's value throughout.
    """
    singles = []
    for index in range(BATCH):
        turns, taken = divmod(index, len(samples))
        own = {name: np.roll(samples[taken][name], turns) for name in free}
        if index and all(np.array_equal(own[name], samples[0][name]) for name in free):
            own = {name: _other(value, index) for name, value in own.items()}
        singles.append({**samples[0], **own})
    joined = {name: np.concatenate([single[name] for single in singles]) for name in free}
    return [*singles, {**samples[0], **joined}]


def _other(value: NDArray[Any], index: int) -> NDArray[Any]:
    """Two of every three numbers nearer to 0, and those that are 0 nearer to 1: a range that holds `value` holds it.

    Integers stay integers, such as an index, and a truth value is turned over.
    """
    chosen = ((np.arange(value.size) + index) % 3 > 0).reshape(value.shape)
    if value.dtype == np.bool_:
        return value ^ chosen
    least = 1.0 if np.issubdtype(value.dtype, np.integer) else 1 / (1 + index)
    nearer = np.where(value == 0, least, value / (1 + index))
    return np.where(chosen, nearer, value).astype(value.dtype)


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
        found = _split(got, [single[name] for single in singles])
        if found is None:
            return None, (_no_batch(name, got, singles[0][name], len(singles)),)
        for part, value in zip(parts, found, strict=True):
            part[name] = value
    measured = figures(singles, parts, (), 0.0)
    reasons = tuple(f"batch of {len(singles)}: {reason}" for reason in judge(measured, limits))
    return BatchCheck(len(singles), measured), reasons


def _split(got: NDArray[Any], singles: Sequence[NDArray[Any]]) -> list[NDArray[Any]] | None:
    """One part for each sample; an output that does not depend on the sample, and has no batch, for each of them.

    None where the first size is not that of all samples together, so that there is nothing to cut.
    """
    single = singles[0]
    if got.shape == single.shape and all(np.array_equal(each, single) for each in singles):
        return [got] * len(singles)
    if any(each.shape != single.shape for each in singles) or not single.ndim:
        return None
    whole = (len(singles) * single.shape[0], *single.shape[1:])
    return list(np.split(got, len(singles))) if got.shape == whole else None


def _no_batch(name: str, got: NDArray[Any], single: NDArray[Any], size: int) -> str:
    what = f"output {name!r} of a batch of {size} has the shape {list(got.shape)}"
    if got.shape == single.shape:
        return f"{what}, as a single one, although its values depend on the sample"
    return f"{what}, a single one has {list(single.shape)}"
