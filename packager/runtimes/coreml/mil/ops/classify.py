"""Class labels (MIL op classify)."""

from __future__ import annotations

from typing import Any

import numpy as np

from packager.runtimes.coreml.mil.registry import Array, op


@op("classify")
def classify(probabilities: Array, classes: Any) -> Any:
    """Scores f[n] (or [1, n]) and n labels -> the best label, and {label: score}. MIL iOS15 `classify`.

    Of equal scores the first label is taken.
    """
    scores = np.ravel(probabilities)
    if scores.size != len(classes):
        raise ValueError(f"{scores.size} scores for {len(classes)} labels")
    return classes[int(np.argmax(scores))], dict(zip(classes, scores.tolist(), strict=True))
