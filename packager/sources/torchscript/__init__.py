"""TorchScript: what `torch.jit.save` writes. Opened by a torch of its own, exported to ONNX."""

from __future__ import annotations

from pathlib import Path

from packager.model.manifest import Model
from packager.model.source import Preparation
from packager.sources._torch import archive
from packager.sources._torch import interpreter as interpreters
from packager.sources._torch import prepare as torch_prepare

SUMMARY = "TorchScript model"
SUFFIXES = (".pt", ".ts")
OPEN = ""
EXPORT = "packager.sources._torch.work:export"
RUN = "packager.sources._torch.work:run"
RUN_WORKER = "light"
TOOLS = ("onnxruntime", "numpy")
CODE = ("packager.sources._torch", "packager.sources.torchscript")

LEAST = (1, 13)
"""Oldest torch whose exporter writes the opset."""

inspect = torch_prepare.reader("torchscript")


def detect(path: Path) -> bool:
    """Whether the archive holds TorchScript code."""
    return archive.kind(path) == "torchscript"


def prepare(path: Path, model: Model, code: tuple[Path, ...]) -> Preparation:
    """Interpreter and shapes. Raises ModelError and ToolMissingError."""
    torch_prepare.refuse_class(path, model, "TorchScript")
    torch_prepare.need_shapes(path, model)
    return torch_prepare.prepare("torchscript", model, code, LEAST)


def doctor() -> tuple[tuple[str, str, str], ...]:
    """Every interpreter with torch that was found here, for all PyTorch formats."""
    here = interpreters.found()
    if not here:
        return (("torch", "not found", f"{interpreters.INSTALL}, or `python:` under `model:`"),)
    return tuple((f"torch {each.torch}", "ready", f"{each.path} (Python {each.python})") for each in here)
