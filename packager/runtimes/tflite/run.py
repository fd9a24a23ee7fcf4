"""Runs TFLite files in LiteRT, one thread, per kernel set (worker side, no TensorFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ConvertError
from packager.core.samples import read_sample, sample_paths, write_sample
from packager.importers.litert import Session

MISSING = "Didn't find op for builtin opcode"
"""LiteRT's words for an operator, or a version of it, that a kernel set has not."""


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Write `out/<kernel set>/<n>.npz` with raw outputs by source name; return the kernel sets that ran.

    `request`: {kernel_sets, mapping: {inputs: {source: own}, outputs: {source: own}}}. `inputs`: `model` and
    `feeds`, a folder of samples in the artefact's own dtypes by source name. Left out is a kernel set, but the first,
    that lacks an operator of the file (the reference kernels are behind the others). Raises ConvertError.
    """
    mapping = request["mapping"]
    ran: list[str] = []
    for kernel_set in request["kernel_sets"]:
        try:
            session = Session(inputs["model"], kernel_set)
        except ConvertError as fault:
            if not ran or MISSING not in str(fault):
                raise
            continue
        ran.append(kernel_set)
        for path in sample_paths(inputs["feeds"]):
            feeds = read_sample(path)
            got = session.run({own: feeds[name] for name, own in mapping["inputs"].items() if name in feeds})
            write_sample(out / kernel_set, int(path.stem), {name: got[own] for name, own in mapping["outputs"].items()})
    return {"kernel_sets": ran}
