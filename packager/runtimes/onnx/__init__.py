"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from packager.importers.limits import too_large
from packager.importers.uncovered import refusals
from packager.model.source import ModelSource
from packager.runtimes.onnx.uncovered import UNCOVERED, WHY

SUMMARY = "ONNX (ONNX Runtime)"
SUFFIX = ".onnx"
LICENSE = "MIT"
CONVERT = "packager.runtimes.onnx.convert:convert"
RUN = "packager.runtimes.onnx.run:run"
STAMP = "packager.runtimes.onnx.stamp:stamp"
RUN_WORKER = "light"
TOOLS = ("tensorflow", "tf2onnx", "onnx", "onnxruntime", "numpy")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.failures",
    "packager.importers.frozen",
    "packager.importers.matching",
    "packager.importers.onnx_file",
    "packager.importers.tflite_builtin",
    "packager.importers.tflite_file",
    "packager.importers.tflite_onnx",
    "packager.runtimes.onnx.canonical",
    "packager.runtimes.onnx.convert",
    "packager.runtimes.onnx.narrow",
    "packager.runtimes.onnx.requirements",
    "packager.runtimes.onnx.run",
    "packager.runtimes.onnx.stamp",
)

_KERNEL_SETS = {"float32": ("ort-cpu",), "float16": ("ort-cpu",), "int8": ("ort-cpu",)}


def precisions() -> tuple[str, ...]:
    """float32; float16 (weights and arithmetic, float32 interface); int8 (QDQ, asymmetric, per channel)."""
    return tuple(_KERNEL_SETS)


def kernel_sets(precision: str) -> tuple[str, ...]:
    """`ort-cpu`: CPU provider, one thread, sequential, extended graph optimisations."""
    return _KERNEL_SETS[precision]


def quantized_interface(precision: str) -> bool:  # noqa: ARG001
    """Inputs and outputs stay floats in every precision."""
    return False


def calibrated(precision: str, source: ModelSource) -> bool:
    """Only int8 is calibrated with samples, and not where the source computes in integers already."""
    return precision == "int8" and not quantized(source)


def takes_original(source: ModelSource, precision: str) -> bool:  # noqa: ARG001
    """ONNX and TFLite files are taken as they are: no way through TensorFlow."""
    return source.format in ("onnx", "tflite")


def check(source: ModelSource, precision: str) -> tuple[str, ...]:
    """State in variables has no ONNX form, and a file that is already quantised gives no other precision."""
    if source.facts.get("state"):
        return ("the model keeps state in variables, which ONNX has not: export it with states as inputs and outputs",)
    if quantized(source) and precision != "int8":
        return ("the source is quantised already: it is taken as it is, under the name int8",)
    return (*too_large(source), *refusals(source, UNCOVERED, WHY))


def quantized(source: ModelSource) -> bool:
    """Whether the source computes in integers already."""
    return "QuantizeLinear" in source.ops or source.facts.get("precision") == "int8"
