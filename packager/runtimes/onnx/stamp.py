"""Writes contract hash and labels into an ONNX file's own metadata (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from packager.core.hashing import canonical_json

FILE = "model.onnx"
CONTRACT = "packager.contract"
LABELS = "packager.labels"


def stamp(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Copy the model to `out/model.onnx` with metadata `packager.contract` and, where there are labels,
    `packager.labels` (canonical JSON). The graph stays as it is.

    `request`: {contract: hash, labels: {output: [label]}}.
    """
    model = onnx.load(inputs["model"])
    entries = {CONTRACT: request["contract"]}
    if request.get("labels"):
        entries[LABELS] = canonical_json(request["labels"]).decode()
    kept = [(entry.key, entry.value) for entry in model.metadata_props if entry.key not in (CONTRACT, LABELS)]
    del model.metadata_props[:]
    for key, value in (*kept, *sorted(entries.items())):
        model.metadata_props.add(key=key, value=value)
    (out / FILE).write_bytes(model.SerializeToString(deterministic=True))
    return {"path": FILE}


def read_stamp(path: Path) -> dict[str, str]:
    """Return the metadata entries of a file that start with `packager.`."""
    props = onnx.load(path).metadata_props
    return {entry.key: entry.value for entry in props if entry.key.startswith("packager.")}
