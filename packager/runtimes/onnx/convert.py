"""Frozen TensorFlow function -> ONNX file (worker side)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from packager.core.errors import ConvertError
from packager.core.jsonable import to_json
from packager.importers.frozen import FrozenModel
from packager.importers.matching import match_outputs
from packager.model.artifact import Port
from packager.runtimes.onnx.canonical import canonical
from packager.runtimes.onnx.run import Session

FILE = "model.onnx"
OPSET = 18
_PROBES = 3


def convert(
    request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, source: FrozenModel | None = None
) -> dict[str, Any]:
    """Write `out/model.onnx` and return {path, inputs, outputs, ops}; ports carry both names.

    `request`: {precision, name, shapes}. `inputs`: `model` (the original) where `source` is None. Raises ConvertError.
    """
    if source is None:
        model = onnx.load(inputs["model"])
        outputs = {value.name: value.name for value in model.graph.output}
    else:
        model = _from_tensorflow(source, request.get("name", "model"))
        outputs = _pin(model, source)
    (out / FILE).write_bytes(model.SerializeToString(deterministic=True))
    return _answer(model, outputs)


def _from_tensorflow(source: FrozenModel, name: str) -> onnx.ModelProto:
    import tf2onnx
    from tf2onnx import utils

    utils.INTERNAL_NAME = 1
    try:
        model, _ = tf2onnx.convert.from_graph_def(
            source.graph_def,
            name=name,
            input_names=[port.tensor for port in source.inputs],
            output_names=[port.tensor for port in source.outputs],
            opset=OPSET,
        )
    except Exception as fault:  # tf2onnx raises ValueError, KeyError, AssertionError and others
        raise ConvertError(f"ONNX: tf2onnx failed: {type(fault).__name__}: {fault}") from fault
    return canonical(model, {port.tensor: port.name for port in (*source.inputs, *source.outputs)}, name)


def _pin(model: onnx.ModelProto, source: FrozenModel) -> dict[str, str]:
    """Return {source output: output of the file}, found by value on random probes."""
    session = Session(model.SerializeToString())
    probes = source.probes(_PROBES)
    got = [session.run({name: probe[name] for name in session.inputs}) for probe in probes]
    return match_outputs([source.run(probe) for probe in probes], got)


def _answer(model: onnx.ModelProto, outputs: Mapping[str, str]) -> dict[str, Any]:
    constants = {tensor.name for tensor in model.graph.initializer}
    made = {value.name: value for value in model.graph.output}
    fed = [value for value in model.graph.input if value.name not in constants]
    return {
        "path": FILE,
        "inputs": [to_json(_port(value.name, value)) for value in fed],
        "outputs": [to_json(_port(name, made[own])) for name, own in outputs.items()],
        "ops": dict(sorted(Counter(node.op_type for node in model.graph.node).items())),
    }


def _port(source: str, value: onnx.ValueInfoProto) -> Port:
    tensor = value.type.tensor_type
    shape = tuple(dimension.dim_value or 1 for dimension in tensor.shape.dim)
    return Port(source, value.name, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name, shape)
