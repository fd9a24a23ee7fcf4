"""Kinds of folders that are refused."""

from __future__ import annotations

from pathlib import Path

from packager.sources.foreign.files import Kind

_COREML = "a Core ML package is a target here, not a source: take the model that it was converted from, or ONNX of it"


def kind(path: Path) -> Kind | None:
    """The kind of a folder, or None for one that is not refused here. Raises OSError."""
    names = {entry.name for entry in path.iterdir()}
    if "Manifest.json" in names and ("Data" in names or path.suffix == ".mlpackage"):
        return Kind("a Core ML package (.mlpackage)", "it has a Manifest.json", _COREML)
    if "coremldata.bin" in names or path.suffix == ".mlmodelc":
        return Kind("a compiled Core ML model (.mlmodelc)", "it has a coremldata.bin", _COREML)
    if "saved_model.pb" in names:
        return None
    if "saved_model.pbtxt" in names:
        way = "save it in binary form: tf.saved_model.save(model, folder)"
        return Kind("a SavedModel in text form", "it has a saved_model.pbtxt", way)
    if "checkpoint" in names or any(name.endswith(".ckpt.index") for name in names):
        way = "build the model in Python, restore the check-point, and save a SavedModel"
        return Kind("weights without an architecture (TensorFlow check-point)", "it has a `checkpoint` file", way)
    symbols = sorted(name for name in names if name.endswith("-symbol.json"))
    if symbols:
        way = "convert it to ONNX: mxnet.onnx.export_model(symbol, params, shapes) of MXNet 1.9 writes one"
        return Kind("an MXNet model", f"it has {symbols[0]}", way)
    if {"init_net.pb", "predict_net.pb"} <= names:
        way = "convert it to ONNX: caffe2.python.onnx.frontend.caffe2_net_to_onnx_model of PyTorch 1.x writes one"
        return Kind("a Caffe2 model", "it has init_net.pb and predict_net.pb", way)
    if "variables" in names:
        way = "copy the whole folder: saved_model.pb stands beside `variables`"
        return Kind("a SavedModel without its graph", "it has `variables`, but no saved_model.pb", way)
    return None
