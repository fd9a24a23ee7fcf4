"""Core ML: mlprogram packages (`.mlpackage`), evaluated here in numpy."""

from __future__ import annotations

from packager.importers.limits import too_large
from packager.importers.uncovered import refusals
from packager.model.source import ModelSource
from packager.runtimes.coreml.uncovered import UNCOVERED, WHY

SUMMARY = "Core ML (mlprogram)"
SUFFIX = ".mlpackage"
LICENSE = "BSD-3-Clause"
CONVERT = "packager.runtimes.coreml.convert:convert"
RUN = "packager.runtimes.coreml.run:run"
STAMP = "packager.runtimes.coreml.stamp:stamp"
RUN_WORKER = "tf"
TOOLS = ("tensorflow", "coremltools", "numpy", "protobuf")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.failures",
    "packager.importers.frozen",
    "packager.importers.matching",
    "packager.runtimes.coreml.convert",
    "packager.runtimes.coreml.mil",
    "packager.runtimes.coreml.overrides",
    "packager.runtimes.coreml.package",
    "packager.runtimes.coreml.requirements",
    "packager.runtimes.coreml.run",
    "packager.runtimes.coreml.stamp",
)

_KERNEL_SETS = {"float32": ("mil-eval",), "float16": ("mil-eval-half",), "int8": ("mil-eval-half",)}
_LOOPS = ("While", "StatelessWhile", "WHILE", "Loop", "Scan")
_INTEGERS = ("int8", "uint8", "int16", "uint16")

WIDTHS = {"float32": (4, 4, 4), "float16": (2, 2, 2), "int8": (1, 2, 2)}
"""Bytes of a weight in the file and at run time, and of a value, by precision."""


def precisions() -> tuple[str, ...]:
    """float32; float16 (weights and arithmetic); int8 (weights, linear, per channel; arithmetic in float16)."""
    return tuple(_KERNEL_SETS)


def kernel_sets(precision: str) -> tuple[str, ...]:
    """`mil-eval`: float32 in numpy; `mil-eval-half`: each float16 result rounded."""
    return _KERNEL_SETS[precision]


def quantized_interface(precision: str) -> bool:  # noqa: ARG001
    """Inputs and outputs stay floats in every precision."""
    return False


def calibrated(precision: str, source: ModelSource) -> bool:  # noqa: ARG001
    """No precision is calibrated: int8 concerns weights only."""
    return False


def takes_original(source: ModelSource, precision: str) -> bool:  # noqa: ARG001
    """Core ML files are no sources."""
    return False


def check(source: ModelSource, precision: str) -> tuple[str, ...]:  # noqa: ARG001
    """Loops (they cannot be evaluated here), 8-bit tensors and scalars in the interface, what the importer refuses."""
    loops = [op for op in _LOOPS if op in source.ops] or [source.facts[k] for k in ("loop",) if source.facts.get(k)]
    reasons = [
        f"the graph has a loop ({loop}), which Core ML packages of this version cannot have; unroll it before saving"
        for loop in loops
    ]
    if source.facts.get("state"):
        reasons.append("the model keeps state in variables, which packages of this version cannot")
    reasons += [
        f"{spec.name!r} is {spec.dtype}: Core ML takes and gives floats and int32; use the float model as source"
        for spec in (*source.inputs, *source.outputs)
        if spec.dtype in _INTEGERS
    ]
    unknown = source.facts.get("unknown_shapes", ())
    reasons += [
        f"{spec.name!r} is a scalar: an input of Core ML has an axis at least; export it with the shape [1]"
        for spec in source.inputs
        if spec.shape == () and spec.name not in unknown
    ]
    return (*reasons, *too_large(source), *refusals(source, UNCOVERED, WHY), *source.facts.get("importer_refuses", ()))
