"""Frozen TensorFlow function, ONNX file or TFLite file -> ONNX file (worker side)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx

from packager.core.jsonable import to_json
from packager.core.samples import Arrays, read_samples
from packager.importers import onnx_file
from packager.importers.batch import NAME
from packager.importers.failures import failed
from packager.importers.matching import match_outputs
from packager.model.artifact import Port
from packager.runtimes.onnx.canonical import canonical
from packager.runtimes.onnx.narrow import to_float16, to_int8
from packager.runtimes.onnx.run import Session

if TYPE_CHECKING:
    from packager.importers.frozen import FrozenModel

FILE = "model.onnx"
OPSET = 18
_PROBES = 3


def convert(
    request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, source: FrozenModel | None = None
) -> dict[str, Any]:
    """Write `out/model.onnx` and return {path, inputs, outputs, ops}; ports carry both names.

    `request`: {precision, name, shapes}. `inputs`: `model` (an ONNX or TFLite file) where `source` is None;
    `calibration` (folder of samples by source name) for int8. Raises ConvertError.
    """
    name = request.get("name", "model")
    if source is None:
        model = _from_file(inputs["model"], name, request.get("shapes", {}))
        outputs = {value.name: value.name for value in model.graph.output}
    else:
        model = _from_tensorflow(source, name)
        outputs = _pin(model, source)
    model = _precise(model, request["precision"], inputs)
    (out / FILE).write_bytes(model.SerializeToString(deterministic=True))
    return _answer(model, outputs)


def _from_file(path: Path, name: str, shapes: Mapping[str, list[int | None]]) -> onnx.ModelProto:
    with path.open("rb") as file:
        is_tflite = file.read(8)[4:] == b"TFL3"
    if is_tflite:
        from packager.importers.tflite_onnx import to_onnx

        return canonical(onnx_file.with_shapes(to_onnx(path, name), shapes), {}, name)
    return onnx_file.with_shapes(onnx_file.load(path), shapes)


def _from_tensorflow(source: FrozenModel, name: str) -> onnx.ModelProto:
    import tf2onnx
    from tf2onnx import utils

    from packager.importers.folding import has_twins, number_functions, without_erfc

    utils.INTERNAL_NAME = 1
    graph_def = number_functions(without_erfc(source.graph_def))
    try:
        model, _ = tf2onnx.convert.from_graph_def(
            graph_def,
            name=name,
            input_names=[port.tensor for port in source.inputs],
            output_names=[port.tensor for port in source.outputs],
            opset=OPSET,
        )
    except Exception as fault:  # tf2onnx raises ValueError, KeyError, AssertionError and others
        raise failed("ONNX", fault) from fault
    _name_batch(model, source)
    ends = {port.tensor: port.name for port in (*source.inputs, *source.outputs)}
    return canonical(model, ends, name, keep=not has_twins(graph_def))


def _name_batch(model: onnx.ModelProto, source: FrozenModel) -> None:
    """Give a free batch its name, in place: tf2onnx leaves it blank, or counts."""
    free = {port.tensor for port in (*source.inputs, *source.outputs) if port.spec.shape[:1] == (None,)}
    for value in (*model.graph.input, *model.graph.output):
        if value.name in free and value.type.tensor_type.shape.dim:
            value.type.tensor_type.shape.dim[0].dim_param = NAME


def _precise(model: onnx.ModelProto, precision: str, inputs: Mapping[str, Path]) -> onnx.ModelProto:
    if precision == "float16":
        return to_float16(model)
    if precision == "int8" and not any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        samples: list[Arrays] = list(read_samples(inputs["calibration"])) if "calibration" in inputs else []
        return to_int8(model, samples)
    return model


def _pin(model: onnx.ModelProto, source: FrozenModel) -> dict[str, str]:
    """Return {source output: output of the file}, found by value on random probes."""
    session = Session(model.SerializeToString())
    probes = source.probes(_PROBES)
    got = [session.run({name: probe[name] for name in session.inputs}) for probe in probes]
    return match_outputs([source.run(probe) for probe in probes], got)


def _answer(model: onnx.ModelProto, outputs: Mapping[str, str]) -> dict[str, Any]:
    made = {value.name: value for value in onnx_file.infer(model).graph.output}
    fed = onnx_file.real_inputs(model.graph)
    return {
        "path": FILE,
        "inputs": [to_json(_port(value.name, value)) for value in fed],
        "outputs": [to_json(_port(name, made[own])) for name, own in outputs.items()],
        "ops": dict(sorted(Counter(node.op_type for node in model.graph.node).items())),
    }


def _port(source: str, value: onnx.ValueInfoProto) -> Port:
    spec, _ = onnx_file.spec_of(value)
    return Port(source, value.name, spec.dtype, tuple(size or 1 for size in spec.shape), free=spec.shape[:1] == (None,))
