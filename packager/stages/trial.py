"""Stage trial: which of several contracts gives the known answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packager.model.contract import Classification, Result

CLOSE = 0.05
"""Mean scores that differ by less say nothing: of these the more usual contract is taken."""


@dataclass(frozen=True)
class Attempt:
    """One contract over all files: for each file the best label, and the score of the label that is right."""

    index: int
    best: tuple[str, ...]
    scores: tuple[float, ...]
    right: bool

    @property
    def score(self) -> float:
        """Mean score of the right labels."""
        return sum(self.scores) / len(self.scores)


def attempt(index: int, results: Sequence[Result | None], expected: Sequence[str]) -> Attempt | None:
    """Judge the results of one contract; None where one is not a Classification or the contract failed."""
    best: list[str] = []
    scores: list[float] = []
    for result, label in zip(results, expected, strict=True):
        if not isinstance(result, Classification) or not result.labels:
            return None
        best.append(result.labels[0].label)
        scores.append(next((x.score for x in result.labels if x.label == label), 0.0))
    return Attempt(index, tuple(best), tuple(scores), tuple(best) == tuple(expected))


def rank(attempts: Sequence[Attempt]) -> list[Attempt]:
    """Those that are right, the one to take first: the most usual one of those within `CLOSE` of the best score.

    The order of `index` is the order of usualness. The others follow by score.
    """
    right = sorted((each for each in attempts if each.right), key=lambda each: (-each.score, each.index))
    if not right:
        return []
    close = [each for each in right if right[0].score - each.score < CLOSE]
    first = min(close, key=lambda each: each.index)
    return [first, *(each for each in right if each is not first)]
