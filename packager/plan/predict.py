"""Size, peak memory and costs of an artefact that is not made yet, from what the light readers saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packager.model.plan import ArtifactRequest, Prediction
from packager.model.source import ModelSource
from packager.registry import Catalog

USUAL: Mapping[str, tuple[float, float, float]] = {
    "float32": (4, 4, 4),
    "float16": (2, 2, 2),
    "int8": (1, 1, 1),
    "int8-dynamic": (1, 1, 4),
}
"""Bytes of a weight in the file, of a weight while the model runs, of a value; where a runtime has no `WIDTHS`."""


def predict(request: ArtifactRequest, source: ModelSource, catalog: Catalog) -> Prediction:
    """What can be told of one artefact. Nothing is started.

    Values alive at once: each tensor from the operation that makes it to the last one that takes it, in the order of
    the source's graph; elementwise operations work in place. What a runtime takes for itself is not in it.
    """
    runtime: Any = catalog.runtimes[request.runtime]
    widths = getattr(runtime, "WIDTHS", USUAL)
    file_width, run_width, value_width = widths.get(request.precision, USUAL["float32"])
    weights = _weights(source)
    live = source.facts.get("live_elements")
    notes = tuple(runtime.notes(source, request.precision)) if hasattr(runtime, "notes") else ()
    taken = runtime.takes_original(source, request.precision) and "file_bytes" in source.facts
    return Prediction(
        artifact=request.id,
        ops=source.ops,
        file_bytes=source.facts["file_bytes"] if taken else _times(weights, file_width),
        peak_bytes=None if weights is None or live is None else round(weights * run_width + live * value_width),
        peak_at=source.facts.get("live_at", ""),
        partial=source.facts.get("live_unknown", 0),
        notes=notes,
    )


def _weights(source: ModelSource) -> int | None:
    """Number of weights; from the size of a file of float32 weights where they are not counted."""
    if isinstance(source.facts.get("parameters"), int):
        return int(source.facts["parameters"])
    held = source.facts.get("weight_bytes")
    return held // 4 if isinstance(held, int) else None


def _times(count: int | None, width: float) -> int | None:
    return None if count is None else round(count * width)
