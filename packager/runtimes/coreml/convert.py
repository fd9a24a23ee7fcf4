"""Frozen TensorFlow function -> Core ML package (worker side)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ConvertError
from packager.core.jsonable import to_json
from packager.importers.frozen import FrozenModel
from packager.importers.matching import match_outputs
from packager.model.artifact import Port
from packager.runtimes.coreml.mil import MilProgram
from packager.runtimes.coreml.package import read_spec, weights_of, write_package

FOLDER = "model.mlpackage"
_PROBES = 2


def convert(
    request: Mapping[str, Any],
    inputs: Mapping[str, Path],  # noqa: ARG001
    out: Path,
    source: FrozenModel,
) -> dict[str, Any]:
    """Write `out/model.mlpackage` and return {path, inputs, outputs, ops}; ports carry both names.

    `request`: {precision}. Raises ConvertError.
    """
    package = out / FOLDER
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / FOLDER
        _from_tensorflow(source, request["precision"]).save(str(made))
        write_package(read_spec(made), weights_of(made), package)
    program = MilProgram.load(package)
    return _answer(program, source, _pin(program, source))


def _from_tensorflow(source: FrozenModel, precision: str) -> Any:
    import coremltools as ct

    half = precision == "float16"
    try:
        return ct.convert(
            [source.function],
            source="tensorflow",
            convert_to="mlprogram",
            compute_precision=ct.precision.FLOAT16 if half else ct.precision.FLOAT32,
            minimum_deployment_target=ct.target.iOS15,
            skip_model_load=True,
        )
    except Exception as fault:  # coremltools raises ValueError, NotImplementedError, RuntimeError and others
        raise ConvertError(f"Core ML {precision}: coremltools failed: {type(fault).__name__}: {fault}") from fault


def _pin(program: MilProgram, source: FrozenModel) -> dict[str, str]:
    """Return {source output: output of the package}, found by value on random probes."""
    probes = source.probes(_PROBES)
    got = [program.predict({port.node: probe[port.name] for port in source.inputs}) for probe in probes]
    return match_outputs([source.run(probe) for probe in probes], got)


def _answer(program: MilProgram, source: FrozenModel, outputs: Mapping[str, str]) -> dict[str, Any]:
    fed = {spec.name: spec for spec in program.inputs}
    made = {spec.name: spec for spec in program.outputs}
    return {
        "path": FOLDER,
        "inputs": [to_json(_port(port.name, fed[port.node])) for port in source.inputs],
        "outputs": [to_json(_port(name, made[own])) for name, own in outputs.items()],
        "ops": dict(sorted(program.op_types().items())),
    }


def _port(source: str, spec: Any) -> Port:
    return Port(source, spec.name, spec.dtype, tuple(max(size, 1) for size in spec.shape))
