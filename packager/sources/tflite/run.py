"""Runs TFLite files as the reference: in LiteRT, one thread (worker side, no TensorFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.samples import read_sample, sample_paths, write_sample
from packager.importers import tflite_builtin, tflite_file
from packager.importers.litert import Session


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Run the file on the folder `feeds` (its own dtypes); writes `out/<n>.npz` by source name.

    Without delegate, but for files with a custom operator that only XNNPACK has. `request`: {shapes: {input: [sizes]}}.
    State variables start anew with each sample. Raises ConvertError.
    """
    foreign = tflite_builtin.uses_known(tflite_file.load(inputs["model"]))
    session = Session(inputs["model"], "litert-xnnpack" if foreign else "litert-builtin", request.get("shapes", {}))
    for path in sample_paths(inputs["feeds"]):
        write_sample(out, int(path.stem), session.run(read_sample(path)))
    return {"outputs": list(session.outputs)}
