"""Runs the child that has torch: exports a model to ONNX, and runs the original as the reference (worker side)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from packager.core.errors import ConvertError, ModelError
from packager.core.samples import Arrays, read_sample, sample_paths, write_sample
from packager.sources._torch import archive

FILE = "model.onnx"
CHILD = Path(__file__).parent / "child" / "exporter.py"
WORST = 1e-4
"""Largest difference between torch and the exported file on the probes, relative to the output's range."""


def export(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Write `out/model.onnx` and return {path, probes: [{output: {max_abs, range}}]}: it was run beside torch on a
    random probe, and on three in one where the batch is free.

    `request`: {kind, shapes, dtypes, class, arguments}. `inputs`: `model`, `python`, `code0`, ... Raises ModelError
    for what torch cannot load or export, and ConvertError for a file whose answers are not torch's.
    """
    with TemporaryDirectory() as folder:
        work = Path(folder)
        answer = _child("export", request, inputs, work, {"onnx": str(out / FILE)})
        probes = [{end: {item["name"]: _read(work, item) for item in probe[end]} for end in probe}
                  for probe in answer["probes"]]  # fmt: skip
    return {"path": FILE, "probes": [_compare(out / FILE, probe["inputs"], probe["outputs"]) for probe in probes]}


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Run the original in torch on the folder `feeds`; writes `out/<n>.npz`. Raises ModelError."""
    names: list[str] = []
    with TemporaryDirectory() as folder:
        work = Path(folder)
        paths = sample_paths(inputs["feeds"])
        feeds = [_write(work, path.stem, read_sample(path)) for path in paths]
        answer = _child("run", request, inputs, work, {"feeds": feeds})
        for path, items in zip(paths, answer["samples"], strict=True):
            names = [item["name"] for item in items]
            write_sample(out, int(path.stem), {item["name"]: _read(work, item) for item in items})
    return {"outputs": names}


def _child(
    verb: str, request: Mapping[str, Any], inputs: Mapping[str, Path], work: Path, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Ask the child once; it shares this worker's process group, so its limits and its end hold for both."""
    archive.refuse(inputs["model"])
    job = {
        **request,
        **more,
        "verb": verb,
        "model": str(inputs["model"]),
        "code": [str(path) for name, path in sorted(inputs.items()) if name.startswith("code")],
        "work": str(work),
    }
    (work / "job.json").write_text(json.dumps(job), "utf-8")
    argv = [str(inputs["python"]), "-B", str(CHILD), str(work / "job.json")]
    # Loading an exported program unpickles; torch's own guard stands behind the look at its opcodes.
    guard = {} if request["kind"] == "class" else {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}
    done = subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, cwd=work, env={**os.environ, **guard})
    try:
        answer: dict[str, Any] = json.loads((work / "answer.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise ModelError(
            f"torch ended with code {done.returncode} over {inputs['model'].name}", expected="an answer"
        ) from None
    if "error" in answer:
        raise ModelError(f"{inputs['model'].name}: {answer['error']}", hint=answer.get("hint", ""))
    return answer


def _write(work: Path, stem: str, arrays: Arrays) -> list[dict[str, Any]]:
    items = []
    for index, (name, array) in enumerate(arrays.items()):
        file = f"feed-{stem}-{index}.bin"
        (work / file).write_bytes(np.ascontiguousarray(array).tobytes())
        items.append({"name": name, "file": file, "dtype": array.dtype.name, "shape": list(array.shape)})
    return items


def _read(work: Path, item: Mapping[str, Any]) -> NDArray[Any]:
    data = np.frombuffer((work / item["file"]).read_bytes(), dtype=item["dtype"])
    return data.reshape(item["shape"])


def _compare(file: Path, fed: Arrays, expected: Arrays) -> dict[str, Any]:
    """Run the exported file on the probe. Raises ConvertError where its answers are not torch's."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        wanted = {node.name for node in session.get_inputs()}
        got = session.run(list(expected), {name: array for name, array in fed.items() if name in wanted})
    except Exception as fault:  # ONNX Runtime's exceptions share no public base class
        raise ConvertError(f"ONNX Runtime cannot run what torch exported: {fault}") from fault
    figures = {}
    for (name, right), array in zip(expected.items(), got, strict=True):
        figures[name] = _difference(name, right, np.asarray(array))
    return figures


def _difference(name: str, right: NDArray[Any], got: NDArray[Any]) -> dict[str, float]:
    a, b = right.astype(np.float64), got.astype(np.float64)
    if a.shape != b.shape or not np.isfinite(b).all() or not np.isfinite(a).all():
        raise ConvertError(f"output {name!r} of the exported file has other sizes than torch's, or is not finite")
    worst = float(np.max(np.abs(a - b), initial=0.0))
    span = float(np.ptp(a)) if a.size else 0.0
    if worst > WORST * max(span, 1e-6):
        raise ConvertError(
            f"output {name!r} of the exported file differs from torch's by {worst:.3g}, its range is {span:.3g}",
            hint="the model may take another way for other inputs (`if`, loops): script it instead of tracing it",
        )
    return {"max_abs": worst, "range": span}
