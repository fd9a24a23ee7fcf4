"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from packager.model.source import ModelSource

SUMMARY = "ONNX (ONNX Runtime)"
SUFFIX = ".onnx"
LICENSE = "MIT"
CONVERT = "packager.runtimes.onnx.convert:convert"
RUN = "packager.runtimes.onnx.run:run"
STAMP = "packager.runtimes.onnx.stamp:stamp"
RUN_WORKER = "light"
TOOLS = ("tensorflow", "tf2onnx", "onnx", "onnxruntime", "numpy")
CODE = ("packager.runtimes.onnx", "packager.importers.frozen", "packager.importers.matching")

_KERNEL_SETS = {"float32": ("ort-cpu",)}


def precisions() -> tuple[str, ...]:
    """float32."""
    return tuple(_KERNEL_SETS)


def kernel_sets(precision: str) -> tuple[str, ...]:
    """`ort-cpu`: CPU provider, one thread, sequential, extended graph optimisations."""
    return _KERNEL_SETS[precision]


def quantized_interface(precision: str) -> bool:  # noqa: ARG001
    """Inputs and outputs stay floats in every precision."""
    return False


def calibrated(precision: str) -> bool:
    """Only int8 is calibrated with samples."""
    return precision == "int8"


def takes_original(source: ModelSource, precision: str) -> bool:  # noqa: ARG001
    """An ONNX file is used as it is, whatever its precision."""
    return source.format == "onnx"


def check(source: ModelSource, precision: str) -> tuple[str, ...]:  # noqa: ARG001
    """Nothing is known to fail without converting."""
    return ()
