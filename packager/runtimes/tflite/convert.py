"""Frozen TensorFlow function -> TFLite file (worker side)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from packager.core.errors import ConvertError, GateError
from packager.core.jsonable import to_json
from packager.core.samples import Arrays, read_samples
from packager.importers import tflite_builtin
from packager.importers import tflite_file as schema
from packager.importers.failures import failed, first_line
from packager.importers.litert import Session
from packager.importers.matching import match_outputs
from packager.model.artifact import Port

if TYPE_CHECKING:
    from packager.importers.frozen import FrozenModel, FrozenPort

FILE = "model.tflite"
_PROBES = 3


def convert(
    request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, source: FrozenModel | None = None
) -> dict[str, Any]:
    """Write `out/model.tflite` and return {path, inputs, outputs, ops}; ports carry both names.

    `request`: {precision}. `inputs`: `calibration` (folder of samples by source name) for int8; `model` (the
    original) where `source` is None: it is copied, known custom operators replaced. Raises ConvertError.
    """
    path = out / FILE
    if source is None:
        _copy(inputs["model"], path)
        return _answer(path, None, None)
    samples = list(read_samples(inputs["calibration"])) if "calibration" in inputs else []
    path.write_bytes(_bytes(source, request["precision"], samples))
    return _answer(path, source, _pin(path, source, samples))


def _copy(original: Path, path: Path) -> None:
    model = schema.load(original)
    if tflite_builtin.uses_known(model):
        tflite_builtin.replace_known(model)
        path.write_bytes(schema.pack(model))
    else:
        shutil.copyfile(original, path)


def _bytes(source: FrozenModel, precision: str, samples: list[Arrays]) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions([source.function])
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        _can_be_calibrated(source, samples)
        converter.representative_dataset = lambda: _ordered(source, samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        return bytes(converter.convert())
    except Exception as fault:  # the converter has no base class of its own
        raise failed(f"TFLite {precision}", fault) from fault


def _can_be_calibrated(source: FrozenModel, samples: list[Arrays]) -> None:
    if not samples:
        raise ConvertError("int8 needs calibration samples", hint="give `calibration:` in the manifest")
    loop = source.loop()
    if loop is not None:
        raise ConvertError(
            f"TFLite int8: the graph has a loop ({loop}), on which TensorFlow's calibrator crashes",
            expected="a graph without loops",
            hint="take int8-dynamic or float16, or unroll the recurrent layers before saving, without masking",
        )


def _ordered(source: FrozenModel, samples: list[Arrays]) -> Iterator[list[NDArray[Any]]]:
    for sample in samples:
        yield [sample[port.name] for port in source.inputs]


def _pin(path: Path, source: FrozenModel, samples: list[Arrays]) -> dict[str, str]:
    """Return {source output: tensor of the file}, found by value on calibration samples or random probes."""
    probes: list[Arrays] = samples[:_PROBES] or source.probes(_PROBES)
    try:
        session = Session(path, "litert-builtin")
        got = [session.run_real({port.node: probe[port.name] for port in source.inputs}) for probe in probes]
    except ConvertError as fault:
        if not samples:
            raise
        raise GateError(
            f"TFLite int8: the quantised model cannot run on its own calibration data: {first_line(str(fault))}",
            expected="operators with kernels for 8 bits, and values that survive them: a small divisor becomes zero",
            hint="take int8-dynamic or float16",
        ) from fault
    return match_outputs([source.run(probe) for probe in probes], got)


def _answer(path: Path, source: FrozenModel | None, outputs: Mapping[str, str] | None) -> dict[str, Any]:
    model = schema.load(path)
    graph = model.subgraphs[0]
    made = {schema.tensor_name(graph.tensors[i]): graph.tensors[i] for i in graph.outputs}
    fed = {schema.tensor_name(graph.tensors[i]): graph.tensors[i] for i in graph.inputs}
    in_names = _input_names(source.inputs, fed) if source else {name: name for name in fed}
    out_names = outputs if outputs is not None else {name: name for name in made}
    return {
        "path": FILE,
        "inputs": [to_json(_port(name, own, fed[own])) for name, own in in_names.items()],
        "outputs": [to_json(_port(name, own, made[own])) for name, own in out_names.items()],
        "ops": schema.operators(model),
    }


def _input_names(ports: tuple[FrozenPort, ...], fed: Mapping[str, Any]) -> dict[str, str]:
    missing = [port.name for port in ports if port.node not in fed]
    if missing:
        raise ConvertError(f"the converted file lost the input {missing[0]!r}", expected=f"it has {sorted(fed)}")
    return {port.name: port.node for port in ports}


def _port(source: str, name: str, tensor: Any) -> Port:
    declared = schema.shape(tensor)
    shape = tuple(1 if size is None else size for size in declared)
    dtype = str(np.dtype(schema.dtype_name(tensor)))
    return Port(source, name, dtype, shape, schema.quantization(tensor), declared[:1] == (None,))
