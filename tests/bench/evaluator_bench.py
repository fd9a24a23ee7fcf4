"""The Core ML evaluator beside the TFLite interpreter on the person detector, in one process and one thread."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from timing import python

CODE = """
import json, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
import numpy as np
from packager.importers.litert import Session
from packager.registry import Catalog
from packager.runtimes.coreml.mil import MilProgram
from sources_tools import entry, silabs
from timing import best
catalog, out = Catalog(), Path(sys.argv[1])
source = entry(catalog.sources["keras_h5"].OPEN)(request={}, inputs={"model": silabs("visual_wake_words.h5")})
paths = {}
for name in ("tflite/float32", "coreml/float32", "coreml/float16"):
    runtime, precision = name.split("/")
    folder = out / name
    folder.mkdir(parents=True)
    request = {"precision": precision, "name": "m"}
    made = entry(catalog.runtimes[runtime].CONVERT)(request=request, inputs={}, out=folder, source=source)
    paths[name] = folder / made["path"]
x = np.random.default_rng(0).random((1, 96, 96, 3)).astype(np.float32) * 255
calls = {}
for kernel_set in ("litert-builtin", "litert-xnnpack"):
    session = Session(paths["tflite/float32"], kernel_set)
    calls[kernel_set] = lambda session=session: session.run({name: x for name in session.inputs})
for kernel_set, name, half in (("mil-eval", "coreml/float32", False), ("mil-eval-half", "coreml/float16", True)):
    program = MilProgram.load(paths[name])
    calls[kernel_set] = lambda p=program, half=half: p.predict({p.inputs[0].name: x}, half=half)
times = dict.fromkeys(calls, 1.0)
for _ in range(10):
    for name, call in calls.items():
        times[name] = min(times[name], best(call, 20))
(out / "times.json").write_text(json.dumps(times))
"""
GOAL = 10.0


def main() -> list[dict[str, Any]]:
    """Fastest times of interleaved rounds, and their ratios."""
    with TemporaryDirectory() as folder:
        done = python(CODE, Path(folder), folder, Path(__file__).parent)
        if done.code:
            raise RuntimeError(done.output[-2000:])
        times = json.loads((Path(folder) / "times.json").read_text())
    rows: list[dict[str, Any]] = [
        {"what": f"person detector, {name}", "value": seconds * 1e3, "unit": "ms"} for name, seconds in times.items()
    ]
    for own in ("mil-eval", "mil-eval-half"):
        for other in ("litert-builtin", "litert-xnnpack"):
            row: dict[str, Any] = {"what": f"{own} / {other}", "value": times[own] / times[other], "unit": "ratio"}
            rows.append(row | ({"goal": GOAL} if own == "mil-eval" else {}))
    return rows
