"""PyTorch weights (a state dict) with the class that they belong to, named in the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packager.core.errors import ModelError
from packager.model.manifest import Model
from packager.model.source import ModelSource, Preparation
from packager.sources._torch import archive
from packager.sources._torch import prepare as torch_prepare
from packager.sources._torch.pickles import refuse_code

SUMMARY = "PyTorch state dict with its class"
SUFFIXES = (".pth", ".pt", ".bin", ".ckpt")
OPEN = ""
EXPORT = "packager.sources._torch.work:export"
RUN = "packager.sources._torch.work:run"
RUN_WORKER = "light"
TOOLS = ("onnxruntime", "numpy")
CODE = ("packager.sources._torch", "packager.sources.torch_class")

LEAST = (1, 13)
"""Oldest torch that loads weights alone."""


def detect(path: Path) -> bool:
    """Whether the file is a pickle, alone or as PyTorch saves it."""
    return archive.kind(path) in ("weights", "pickle")


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:  # noqa: ARG001 - torch alone knows its inputs
    """Identity only. Raises ModelError for pickles that are not weights alone, and for broken and encrypted files."""
    if archive.kind(path) == "pickle":
        with path.open("rb") as file:
            refuse_code(file, path.name, path.name)
        raise ModelError(
            f"{path.name} is a plain pickle, which holds no model that can be opened without its program",
            expected="a file written by torch.save(model.state_dict(), file)",
            hint="export the model in the program that made it: to ONNX, or as a state dict",
        )
    return torch_prepare.inspect(path, "torch_class")


def prepare(path: Path, model: Model, code: tuple[Path, ...]) -> Preparation:
    """Interpreter, class and shapes. Raises ModelError for weights without an architecture, and ToolMissingError."""
    if model.class_ is None:
        raise ModelError(
            f"{path.name} holds weights without an architecture",
            expected="`class:`, `code:` and `trust:` under `model:`, or a file that holds the whole model",
            hint='name the class that built the network, `class: "package.module:Class"` (with `packager init`: '
            "--class, --code, --trust), or export the model in Python: torch.onnx.export(model, example, 'model.onnx')",
        )
    torch_prepare.need_shapes(path, model)
    return torch_prepare.prepare("class", model, code, LEAST)
