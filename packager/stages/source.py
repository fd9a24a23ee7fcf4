"""Stage source: which format a model file has, and what can be seen without its framework."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packager.core.errors import ModelError
from packager.model.source import ModelSource
from packager.registry import Catalog


def inspect(path: Path, shapes: Mapping[str, tuple[int, ...]], catalog: Catalog) -> ModelSource:
    """Look into the model at `path` (a file or folder) with the light reader of its format.

    Raises `ModelError` where no format knows it, or its reader refuses it by name.
    """
    for module in catalog.sources.values():
        if module.detect(path):
            return module.inspect(path, shapes)
    known = ", ".join(f"{m.SUMMARY} ({', '.join(m.SUFFIXES)})" for m in catalog.sources.values())
    raise ModelError(
        f"{path.name} is not a model that this version reads",
        expected=known,
        hint="export the model to one of these; most frameworks write ONNX",
    )
