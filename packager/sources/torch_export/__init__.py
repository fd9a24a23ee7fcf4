"""Exported programs: what `torch.export.save` writes (`.pt2`)."""

from __future__ import annotations

from pathlib import Path

from packager.model.manifest import Model
from packager.model.source import Preparation
from packager.sources._torch import archive
from packager.sources._torch import prepare as torch_prepare

SUMMARY = "PyTorch exported program"
SUFFIXES = (".pt2",)
OPEN = ""
EXPORT = "packager.sources._torch.work:export"
RUN = "packager.sources._torch.work:run"
RUN_WORKER = "light"
TOOLS = ("onnxruntime", "numpy")
CODE = ("packager.sources._torch", "packager.sources.torch_export")

LEAST = (2, 5)
"""Oldest torch that reads the files of today's versions."""

inspect = torch_prepare.reader("torch_export")


def detect(path: Path) -> bool:
    """Whether the archive holds an exported program."""
    return archive.kind(path) == "export"


def prepare(path: Path, model: Model, code: tuple[Path, ...]) -> Preparation:
    """The interpreter; the file says the shapes itself. Raises ModelError and ToolMissingError."""
    torch_prepare.refuse_class(path, model, "an exported program")
    return torch_prepare.prepare("export", model, code, LEAST)
