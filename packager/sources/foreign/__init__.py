"""Files that people bring and that hold no model for this tool: told by content, refused by name, with the way out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packager.core.errors import ModelError
from packager.model.source import ModelSource
from packager.sources.foreign import files, folders

SUMMARY = "file of another kind"
SUFFIXES: tuple[str, ...] = ()
OPEN = ""
RUN = ""
RUN_WORKER = "light"
TOOLS = ("numpy",)
CODE = ("packager.sources.foreign",)


def detect(path: Path) -> bool:
    """Whether the file or folder is one of the kinds that are refused by name."""
    return _kind(path) is not None


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:  # noqa: ARG001 - no file of these is read
    """Raises ModelError: what the file is, where that shows, and the way to a format that is taken."""
    kind = _kind(path)
    assert kind is not None
    raise ModelError(
        f"{path.name} is {kind.what} ({kind.sign})",
        expected="a Keras, SavedModel, PyTorch, ONNX or TFLite model",
        hint=kind.way,
    )


def _kind(path: Path) -> files.Kind | None:
    if path.is_dir():
        return folders.kind(path)
    return files.kind(path) if path.is_file() else None
