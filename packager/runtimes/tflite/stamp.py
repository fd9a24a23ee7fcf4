"""Writes contract hash and labels into a TFLite file's own metadata (worker side, no TensorFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as fb

from packager.core.hashing import canonical_json
from packager.importers import tflite_file as schema

FILE = "model.tflite"
CONTRACT = "packager.contract"
LABELS = "packager.labels"


def stamp(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Copy the model to `out/model.tflite` with metadata `packager.contract` (the hash as text) and, where
    there are labels, `packager.labels` (canonical JSON). The graph stays as it is.

    `request`: {contract: hash, labels: {output: [label]}}.
    """
    model = schema.load(inputs["model"])
    entries = {CONTRACT: request["contract"].encode()}
    if request.get("labels"):
        entries[LABELS] = canonical_json(request["labels"])
    kept = [entry for entry in model.metadata or () if (entry.name or b"").decode() not in (CONTRACT, LABELS)]
    for name, data in entries.items():
        buffer = fb.BufferT()
        buffer.data = np.frombuffer(data, np.uint8)
        entry = fb.MetadataT()
        entry.name, entry.buffer = name, len(model.buffers)
        model.buffers.append(buffer)
        kept.append(entry)
    model.metadata = kept
    (out / FILE).write_bytes(schema.pack(model))
    return {"path": FILE}


def read_stamp(path: Path) -> dict[str, str]:
    """Return the metadata entries of a file that start with `packager.`, as text."""
    model = schema.load(path)
    found = {}
    for entry in model.metadata or ():
        name = (entry.name or b"").decode()
        if name.startswith("packager."):
            found[name] = bytes(model.buffers[entry.buffer].data).decode()
    return found
