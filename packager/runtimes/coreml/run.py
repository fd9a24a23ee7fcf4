"""Runs Core ML packages in the evaluator (worker side, no TensorFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.samples import read_sample, sample_paths, write_sample
from packager.runtimes.coreml.mil import MilProgram

HALF = {"mil-eval": False, "mil-eval-half": True}


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Write `out/<kernel set>/<n>.npz` with outputs by source name.

    `request`: {kernel_sets, mapping: {inputs: {source: own}, outputs: {source: own}}}. `inputs`: `model` and
    `feeds`, a folder of samples by source name. Raises what `MilProgram` raises.
    """
    program, mapping = MilProgram.load(inputs["model"]), request["mapping"]
    for path in sample_paths(inputs["feeds"]):
        sample = read_sample(path)
        feeds = {own: sample[name] for name, own in mapping["inputs"].items() if name in sample}
        for kernel_set in request["kernel_sets"]:
            got = program.predict(feeds, half=HALF[kernel_set])
            arrays = {name: got[own] for name, own in mapping["outputs"].items()}
            write_sample(out / kernel_set, int(path.stem), arrays)
    return {"kernel_sets": list(request["kernel_sets"])}
