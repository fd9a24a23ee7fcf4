"""TFLite file -> ONNX model, by tf2onnx (worker side)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
from onnx import helper, numpy_helper
from tf2onnx import convert, utils

from packager.core.errors import ConvertError
from packager.importers import tflite_builtin, tflite_file

OPSET = 18


def to_onnx(path: Path, name: str) -> onnx.ModelProto:
    """Return the model with the tensors' own names for inputs and outputs. Raises ConvertError."""
    utils.INTERNAL_NAME = 1
    with tempfile.TemporaryDirectory() as folder:
        try:
            model, _ = convert.from_tflite(str(_plain(path, Path(folder))), opset=OPSET)
        except Exception as fault:  # tf2onnx raises ValueError, KeyError, AssertionError and others
            raise ConvertError(f"tf2onnx cannot read {path.name}: {type(fault).__name__}: {fault}") from fault
    model.graph.name = name
    _widen_constants(model.graph)
    return model


def _plain(path: Path, folder: Path) -> Path:
    """Return the file without what tf2onnx does not read: sparse weights, and custom operators that are known."""
    model = tflite_file.load(path)
    if not tflite_builtin.uses_known(model) and "DENSIFY" not in tflite_file.operators(model):
        return path
    tflite_builtin.replace_known(model)
    tflite_builtin.densify(model)
    plain = folder / path.name
    plain.write_bytes(tflite_file.pack(model))
    return plain


def _widen_constants(graph: onnx.GraphProto) -> None:
    """Fold the Cast of a constant, as half-precision weights have it: quantisers look for weights in constants."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    kept = []
    for node in graph.node:
        held = constants.get(node.input[0]) if node.op_type == "Cast" else None
        if held is None:
            kept.append(node)
            continue
        wide = numpy_helper.to_array(held).astype(helper.tensor_dtype_to_np_dtype(node.attribute[0].i))
        graph.initializer.append(numpy_helper.from_array(wide, node.output[0]))
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in kept]
    del graph.node[:]
    graph.node.extend(copies)
