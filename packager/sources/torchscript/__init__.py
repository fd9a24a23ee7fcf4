"""TorchScript: what `torch.jit.save` writes. Opened by a torch of its own, exported to ONNX."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packager.model.manifest import Model
from packager.model.source import ModelSource, Preparation
from packager.sources._torch import archive
from packager.sources._torch import interpreter as interpreters
from packager.sources._torch import prepare as torch_prepare

SUMMARY = "TorchScript model"
SUFFIXES = (".pt", ".ts")
OPEN = ""
EXPORT = "packager.sources.torchscript.open:export"
RUN = "packager.sources.torchscript.open:run"
RUN_WORKER = "light"
TOOLS = ("onnxruntime", "numpy")
CODE = ("packager.sources._torch", "packager.sources.torchscript")

LEAST = (1, 13)
"""Oldest torch whose exporter writes the opset."""


def detect(path: Path) -> bool:
    """Whether the archive holds TorchScript code."""
    return archive.kind(path) == "torchscript"


def inspect(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> ModelSource:  # noqa: ARG001 - torch alone knows its inputs
    """Identity only. Raises ModelError for broken and encrypted files and for custom operators."""
    return torch_prepare.inspect(path, "torchscript")


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
