"""TensorFlow Lite (LiteRT): `.tflite` files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ConvertError
from packager.importers.failures import dead
from packager.importers.limits import too_large
from packager.importers.uncovered import refusals
from packager.model.source import ModelSource
from packager.runtimes.tflite.select import COST, SELECT_ONLY

SUMMARY = "TensorFlow Lite (LiteRT)"
SUFFIX = ".tflite"
LICENSE = "Apache-2.0"
CONVERT = "packager.runtimes.tflite.convert:convert"
RUN = "packager.runtimes.tflite.run:run"
STAMP = "packager.runtimes.tflite.stamp:stamp"
RUN_WORKER = "light"
TOOLS = ("tensorflow", "ai-edge-litert", "flatbuffers", "numpy")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.failures",
    "packager.importers.frozen",
    "packager.importers.litert",
    "packager.importers.matching",
    "packager.importers.tflite_builtin",
    "packager.importers.tflite_file",
    "packager.runtimes.tflite.convert",
    "packager.runtimes.tflite.metadata",
    "packager.runtimes.tflite.requirements",
    "packager.runtimes.tflite.run",
    "packager.runtimes.tflite.stamp",
)

_KERNEL_SETS = {
    "float32": ("litert-builtin", "litert-xnnpack"),
    "float16": ("litert-builtin", "litert-xnnpack"),
    "int8": ("litert-builtin", "litert-xnnpack", "litert-reference"),
    "int8-dynamic": ("litert-builtin", "litert-xnnpack"),
}

WIDTHS = {"float32": (4, 4, 4), "float16": (2, 6, 4), "int8": (1, 1, 1), "int8-dynamic": (1, 1, 4)}
"""Bytes of a weight in the file and at run time, and of a value, by precision."""
_EXPANDED = (
    "weights are half as large in the file only: they become float32 when the model is opened, so that it takes more "
    "memory than float32, not less (GPU delegates apart)"
)


def precisions() -> tuple[str, ...]:
    """float32; float16 (weights); int8 (full integer); int8-dynamic (weights, float interface)."""
    return tuple(_KERNEL_SETS)


def kernel_sets(precision: str) -> tuple[str, ...]:
    """`litert-builtin` has no delegate: the default of the C API that the embedded engine uses."""
    return _KERNEL_SETS[precision]


def quantized_interface(precision: str) -> bool:
    """Only int8 takes and gives integers."""
    return precision == "int8"


def calibrated(precision: str, source: ModelSource) -> bool:
    """Only int8 is calibrated with samples, and not where the source is copied."""
    return precision == "int8" and not takes_original(source, precision)


def takes_original(source: ModelSource, precision: str) -> bool:
    """A TFLite file is copied where it has the wanted precision."""
    return source.format == "tflite" and source.facts.get("precision") == precision


def last_words(log: Path) -> ConvertError | None:
    """Why the converter took its worker with it, where its log tells."""
    return dead("TFLite int8", log)


def cannot_say(description: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a contract the metadata of a file cannot say; `description` is JSON of `model.description`."""
    from packager.runtimes.tflite.metadata import cannot

    return cannot(description)


def notes(source: ModelSource, precision: str) -> tuple[str, ...]:  # noqa: ARG001
    """Costs and limits that are no reason to refuse."""
    return (_EXPANDED,) if precision == "float16" else ()


def check(source: ModelSource, precision: str) -> tuple[str, ...]:
    """A quantised TFLite file gives no other precision, loops cannot be calibrated, the importer has limits."""
    if takes_original(source, precision):
        return ()
    held = source.facts.get("precision")
    if source.facts.get("state"):
        return ("the model keeps state in variables: such a TFLite file can only be taken as it is",)
    if source.format == "tflite" and held not in ("float32", "float16"):
        return (f"the source is a TFLite file of precision {held}: it can only be taken as it is",)
    found = [op for op in ("While", "StatelessWhile", "Loop", "Scan") if op in source.ops]
    loops = [loop for loop in (*found, source.facts.get("loop")) if loop and calibrated(precision, source)]
    reasons = [f"the graph has a loop ({loop}), which TensorFlow's calibrator cannot pass" for loop in loops]
    looping = next((loop for loop in (*found, source.facts.get("loop")) if loop), None)
    if source.free and looping:
        reasons.append(f"the graph has a loop ({looping}), whose lists have a fixed batch: give 1 instead of `null`")
    reasons += too_large(source)
    return (*reasons, *refusals(source, SELECT_ONLY, COST), *source.facts.get("importer_refuses", ()))
