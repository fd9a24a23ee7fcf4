"""Frozen TensorFlow function -> Core ML package (worker side)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ConvertError
from packager.core.jsonable import to_json
from packager.importers.batch import MOST
from packager.importers.failures import failed
from packager.importers.frozen import FrozenModel, FrozenPort
from packager.importers.matching import match_outputs
from packager.model.artifact import Port
from packager.runtimes.coreml.mil import MilProgram
from packager.runtimes.coreml.package import read_spec, weights_of, write_package

FOLDER = "model.mlpackage"
_PROBES = 2
_SMALLEST_QUANTIZED = 512


def convert(
    request: Mapping[str, Any],
    inputs: Mapping[str, Path],  # noqa: ARG001
    out: Path,
    source: FrozenModel,
) -> dict[str, Any]:
    """Write `out/model.mlpackage` and return {path, inputs, outputs, ops}; ports carry both names.

    `request`: {precision}. Raises ConvertError.
    """
    loop = source.loop()
    if loop is not None:
        raise ConvertError(
            f"Core ML: the graph has a loop ({loop}), and packages with loops cannot be verified here",
            expected="a graph without loops",
            hint="unroll the recurrent layers before saving (unroll=True), without masking",
        )
    package = out / FOLDER
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / FOLDER
        _from_tensorflow(source, request["precision"]).save(str(made))
        write_package(read_spec(made), weights_of(made), package)
    program = MilProgram.load(package)
    feeds = {port.name: _own(port, [spec.name for spec in program.inputs]) for port in source.inputs}
    return _answer(program, feeds, _pin(program, source, feeds))


def _own(port: FrozenPort, names: list[str]) -> str:
    """Return the package's name of an input: Core ML allows letters, digits and `_` only."""
    legal = re.sub(r"[^A-Za-z0-9_]", "_", port.node)
    for name in (port.node, legal, f"_{legal}"):
        if name in names:
            return name
    raise ConvertError(f"the converted package lost the input {port.name!r}", expected=f"it has {sorted(names)}")


def _from_tensorflow(source: FrozenModel, precision: str) -> Any:
    import coremltools as ct

    from packager.runtimes.coreml import overrides  # noqa: F401 - registers corrections

    single = precision == "float32"
    try:
        model = ct.convert(
            [source.function],
            source="tensorflow",
            convert_to="mlprogram",
            inputs=_free_inputs(source),
            compute_precision=ct.precision.FLOAT32 if single else ct.precision.FLOAT16,
            minimum_deployment_target=ct.target.iOS16 if precision == "int8" else ct.target.iOS15,
            skip_model_load=True,
        )
        return _int8_weights(model) if precision == "int8" else model
    except Exception as fault:  # coremltools raises ValueError, NotImplementedError, RuntimeError and others
        raise failed(f"Core ML {precision}", fault) from fault


def _free_inputs(source: FrozenModel) -> list[Any] | None:
    """The inputs with a batch of 1 to `MOST`, which Core ML wants bounded; None where no batch is free."""
    import coremltools as ct

    if not any(port.spec.shape[:1] == (None,) for port in source.inputs):
        return None
    return [
        ct.TensorType(
            name=port.node,
            shape=tuple(ct.RangeDim(1, MOST, default=1) if size is None else size for size in port.spec.shape),
        )
        for port in source.inputs
    ]


def _int8_weights(model: Any) -> Any:
    """Quantise weights of at least `_SMALLEST_QUANTIZED` values: linear, symmetric, one scale per channel."""
    from coremltools.optimize import coreml as opt

    how = opt.OpLinearQuantizerConfig(
        mode="linear_symmetric", dtype="int8", granularity="per_channel", weight_threshold=_SMALLEST_QUANTIZED
    )
    return opt.linear_quantize_weights(model, config=opt.OptimizationConfig(global_config=how))


def _pin(program: MilProgram, source: FrozenModel, feeds: Mapping[str, str]) -> dict[str, str]:
    """Return {source output: output of the package}, found by value on random probes."""
    probes = source.probes(_PROBES)
    got = [program.predict({feeds[name]: array for name, array in probe.items()}) for probe in probes]
    return match_outputs([source.run(probe) for probe in probes], got)


def _answer(program: MilProgram, inputs: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, Any]:
    fed = {spec.name: spec for spec in program.inputs}
    made = {spec.name: spec for spec in program.outputs}
    return {
        "path": FOLDER,
        "inputs": [to_json(_port(name, fed[own])) for name, own in inputs.items()],
        "outputs": [to_json(_port(name, made[own])) for name, own in outputs.items()],
        "ops": dict(sorted(program.op_types().items())),
    }


def _port(source: str, spec: Any) -> Port:
    return Port(source, spec.name, spec.dtype, tuple(max(size, 1) for size in spec.shape), free=spec.shape[:1] == (-1,))
