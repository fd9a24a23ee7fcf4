"""Opens TFLite files for the converters: through ONNX and our importer (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.importers import onnx_file
from packager.importers.frozen import FrozenModel, fixed_shape, from_function
from packager.importers.levels import carry_levels_as_floats
from packager.importers.onnx import tensor_names, to_tf
from packager.importers.tflite_onnx import to_onnx


def open_model(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path | None = None) -> FrozenModel:  # noqa: ARG001
    """Return the frozen function. `request`: {shapes: {input: [sizes]}}; `inputs`: `model`.

    Raises ModelError, or PlanError for operators that the importer does not cover.
    """
    model = carry_levels_as_floats(to_onnx(inputs["model"], "model"))
    given = request.get("shapes", {})
    specs = [onnx_file.spec_of(value)[0] for value in onnx_file.real_inputs(model.graph)]
    shapes = {spec.name: fixed_shape(spec.name, spec.shape, given) for spec in specs}
    names = tensor_names(model)
    return from_function(to_tf(model, shapes), list(names.inputs), list(names.outputs))
