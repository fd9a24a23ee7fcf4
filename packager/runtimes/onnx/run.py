"""Runs ONNX files in ONNX Runtime, one thread (worker side, no TensorFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from packager.core.errors import ConvertError
from packager.core.samples import Arrays, read_sample, sample_paths, write_sample
from packager.importers.failures import known

KERNEL_SET = "ort-cpu"


class Session:
    """One ONNX file opened on the CPU provider: one thread, sequential, extended graph optimisations."""

    def __init__(self, model: Path | bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.log_severity_level = 3
        try:
            data = model if isinstance(model, bytes) else str(model)
            self._session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as fault:  # ONNX Runtime's exceptions share no public base class
            found = known(str(fault))
            why, fix = (found[1], found[2]) if found is not None else (str(fault), "")
            raise ConvertError(f"ONNX Runtime cannot open the model: {why}", hint=fix) from fault
        self.inputs = [node.name for node in self._session.get_inputs()]
        self.outputs = [node.name for node in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> Arrays:
        """Return outputs by the file's own names. Raises ConvertError where the runtime refuses the feeds."""
        try:
            results = self._session.run(self.outputs, dict(feeds))
        except Exception as fault:  # see above
            raise ConvertError(f"ONNX Runtime cannot run the model: {fault}") from fault
        return {name: np.asarray(result) for name, result in zip(self.outputs, results, strict=True)}


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Write `out/ort-cpu/<n>.npz` with outputs by source name.

    `request`: {kernel_sets, mapping: {inputs: {source: own}, outputs: {source: own}}}. `inputs`: `model` and
    `feeds`, a folder of samples by source name. Raises ConvertError.
    """
    session, mapping = Session(inputs["model"]), request["mapping"]
    for path in sample_paths(inputs["feeds"]):
        feeds = read_sample(path)
        got = session.run({own: feeds[name] for name, own in mapping["inputs"].items() if name in feeds})
        write_sample(out / KERNEL_SET, int(path.stem), {name: got[own] for name, own in mapping["outputs"].items()})
    return {"kernel_sets": [KERNEL_SET]}
