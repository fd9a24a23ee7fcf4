"""TFLite file -> ONNX model, by tf2onnx (worker side)."""

from __future__ import annotations

from pathlib import Path

import onnx
from tf2onnx import convert, utils

from packager.core.errors import ConvertError

OPSET = 18


def to_onnx(path: Path, name: str) -> onnx.ModelProto:
    """Return the model with the tensors' own names for inputs and outputs. Raises ConvertError."""
    utils.INTERNAL_NAME = 1
    try:
        model, _ = convert.from_tflite(str(path), opset=OPSET)
    except Exception as fault:  # tf2onnx raises ValueError, KeyError, AssertionError and others
        raise ConvertError(f"tf2onnx cannot read {path.name}: {type(fault).__name__}: {fault}") from fault
    model.graph.name = name
    return model
