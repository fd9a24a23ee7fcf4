"""Core ML: mlprogram packages (`.mlpackage`), evaluated here in numpy."""

from __future__ import annotations

from packager.model.source import ModelSource

SUMMARY = "Core ML (mlprogram)"
SUFFIX = ".mlpackage"
LICENSE = "BSD-3-Clause"
CONVERT = "packager.runtimes.coreml.convert:convert"
RUN = "packager.runtimes.coreml.run:run"
STAMP = "packager.runtimes.coreml.stamp:stamp"
RUN_WORKER = "tf"
TOOLS = ("tensorflow", "coremltools", "numpy", "protobuf")
CODE = ("packager.runtimes.coreml", "packager.importers.frozen", "packager.importers.matching")

_KERNEL_SETS = {"float32": ("mil-eval",), "float16": ("mil-eval-half",)}


def precisions() -> tuple[str, ...]:
    """float32 and float16 (weights and arithmetic)."""
    return tuple(_KERNEL_SETS)


def kernel_sets(precision: str) -> tuple[str, ...]:
    """`mil-eval`: float32 in numpy; `mil-eval-half`: each float16 result rounded."""
    return _KERNEL_SETS[precision]


def quantized_interface(precision: str) -> bool:  # noqa: ARG001
    """Inputs and outputs stay floats in every precision."""
    return False


def calibrated(precision: str) -> bool:  # noqa: ARG001
    """No precision is calibrated: int8 concerns weights only."""
    return False


def takes_original(source: ModelSource, precision: str) -> bool:  # noqa: ARG001
    """Core ML files are no sources."""
    return False


def check(source: ModelSource, precision: str) -> tuple[str, ...]:  # noqa: ARG001
    """Nothing is known to fail without converting."""
    return ()
