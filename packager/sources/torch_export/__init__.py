"""Exported programs: what `torch.export.save` writes (`.pt2`)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packager.model.manifest import Model
from packager.model.source import ModelSource, Preparation
from packager.sources._torch import archive
from packager.sources._torch import prepare as torch_prepare

SUMMARY = "PyTorch exported program"
SUFFIXES = (".pt2",)
OPEN = ""
EXPORT = "packager.sources.torch_export.open:export"
RUN = "packager.sources.torch_export.open:run"
RUN_WORKER = "light"
TOOLS = ("onnxruntime", "numpy")
CODE = ("packager.sources._torch", "packager.sources.torch_export")

LEAST = (2, 5)
"""Oldest torch that reads the files of today's versions."""


def detect(path: Path) -> bool:
    """Whether the archive holds an exported program."""
    return archive.kind(path) == "export"


def inspect(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> ModelSource:  # noqa: ARG001 - torch alone knows its inputs
    """Identity only. Raises ModelError for broken and encrypted files and pickles with code."""
    return torch_prepare.inspect(path, "torch_export")


def prepare(path: Path, model: Model, code: tuple[Path, ...]) -> Preparation:
    """The interpreter; the file says the shapes itself. Raises ModelError and ToolMissingError."""
    torch_prepare.refuse_class(path, model, "an exported program")
    return torch_prepare.prepare("export", model, code, LEAST)
