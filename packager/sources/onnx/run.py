"""Runs ONNX files as the reference: in ONNX Runtime, one thread, no graph optimisation (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from packager.core.errors import ModelError
from packager.core.samples import read_sample, sample_paths, write_sample
from packager.importers import onnx_file


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Run the file on the folder `feeds`; writes `out/<n>.npz` by source name.

    `request`: {shapes: {input: [sizes]}} replaces what the file declares. Raises ModelError.
    """
    model = onnx_file.with_shapes(onnx_file.load(inputs["model"]), request.get("shapes", {}))
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        names = [node.name for node in session.get_outputs()]
        for path in sample_paths(inputs["feeds"]):
            results = session.run(names, read_sample(path))
            arrays = {name: np.asarray(result) for name, result in zip(names, results, strict=True)}
            write_sample(out, int(path.stem), arrays)
    except Exception as fault:  # ONNX Runtime's exceptions share no public base class
        raise ModelError(f"ONNX Runtime cannot run {inputs['model'].name}: {fault}") from fault
    return {"outputs": names}
