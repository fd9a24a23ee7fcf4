"""Stage source: which format a model file has, and what can be seen without its framework."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from packager.core.archive import BROKEN_ZIP, is_zip
from packager.core.errors import ModelError
from packager.model.manifest import Model
from packager.model.source import ModelSource, Preparation
from packager.registry import Catalog


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]], catalog: Catalog) -> ModelSource:
    """Look into the model at `path` (a file or folder) with the light reader of its format.

    Raises `ModelError` where no format knows it, or its reader refuses it by name.
    """
    if path.is_file() and path.stat().st_size == 0:
        raise ModelError(f"{path.name} is empty", expected="a model", hint="copy the file again")
    for module in catalog.sources.values():
        if module.detect(path):
            found = module.inspect(path, shapes)
            free = tuple(spec.name for spec in found.inputs if shapes.get(spec.name, (1,))[:1] == (None,))
            return replace(found, free=free)
    raise _unknown(path, catalog)


def _unknown(path: Path, catalog: Catalog) -> ModelError:
    """What can be said of a file that no reader knows."""
    known = ", ".join(f"{m.SUMMARY} ({', '.join(m.SUFFIXES)})" for m in catalog.sources.values() if m.SUFFIXES)
    what, hint = f"{path.name} is not a model that this version reads", _EXPORT
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir())
        what = f"the folder {path.name} is not a model that this version reads" if names else f"{path.name} is empty"
        inside = next((name for name in names if Path(name).suffix in _suffixes(catalog)), None)
        hint = f"it holds {inside}: name that file" if inside else _EXPORT
    elif is_zip(path):
        what, hint = _of_zip(path, catalog)
    return ModelError(what, expected=known, hint=hint)


_EXPORT = "export the model to one of these; most frameworks write ONNX"


def _suffixes(catalog: Catalog) -> set[str]:
    return {suffix for module in catalog.sources.values() for suffix in module.SUFFIXES}


def _of_zip(path: Path, catalog: Catalog) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(archive.namelist())
    except BROKEN_ZIP:
        hint = "the file is cut short: compare its size with the original and copy it again"
        return f"{path.name} begins as a zip archive, but its end is missing", hint
    inside = next((name for name in names if Path(name).suffix in _suffixes(catalog)), None)
    if inside is None:
        return f"{path.name} is a zip archive of {len(names)} files, none of which is a model", _EXPORT
    return f"{path.name} is a zip archive that holds {inside}", "unpack it, and name that file"


def prepare(path: Path, format_: str, model: Model, code: tuple[Path, ...], catalog: Catalog) -> Preparation:
    """What the format's own framework needs beside the file; nothing for formats that the converters open.

    Raises `ModelError` for a `class` that the format has no use for, or the format's own refusal.
    """
    module = catalog.sources[format_]
    ready: Callable[[Path, Model, tuple[Path, ...]], Preparation] | None = getattr(module, "prepare", None)
    if ready is not None:
        return ready(path, model, code)
    for key, value in (("class", model.class_), ("python", model.python), ("dtypes", model.dtypes)):
        if value:
            what = f"{path.name} is a {module.SUMMARY}, for which `{key}` has no meaning"
            raise ModelError(what, hint=f"remove `{key}` under `model:`")
    return Preparation()
