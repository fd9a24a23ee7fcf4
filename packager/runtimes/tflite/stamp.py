"""Writes contract hash, labels and TensorFlow Lite's own metadata into a TFLite file (worker side, no TensorFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as fb

from packager.core.hashing import canonical_json
from packager.importers import tflite_file as schema
from packager.runtimes.tflite import metadata
from packager.runtimes.tflite.requirements import requirements

FILE = "model.tflite"
CONTRACT = "packager.contract"
LABELS = "packager.labels"


def stamp(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Copy the model to `out/model.tflite` with metadata `packager.contract` (the hash as text), `packager.labels`
    (canonical JSON, where there are labels) and, with a description, `TFLITE_METADATA` with its associated files.

    The graph stays as it is; metadata of the same names, and files behind the model, are replaced. `request`:
    {contract: hash, labels: {output: [label]}, description: JSON or nothing, mapping: {inputs, outputs}}.
    """
    model = schema.load(inputs["model"])
    entries = {CONTRACT: request["contract"].encode()}
    if request.get("labels"):
        entries[LABELS] = canonical_json(request["labels"])
    description = request.get("description")
    if description:
        entries[metadata.NAME] = _official(model, description, request["mapping"])
    written = {CONTRACT, LABELS, metadata.NAME}
    kept = _without(model, written)
    for name, data in entries.items():
        buffer = fb.BufferT()
        buffer.data = np.frombuffer(data, np.uint8)
        entry = fb.MetadataT()
        entry.name, entry.buffer = name, len(model.buffers)
        model.buffers.append(buffer)
        kept.append(entry)
    model.metadata = kept
    files = metadata.associated_files(description) if description else {}
    needed = requirements(model)
    (out / FILE).write_bytes(metadata.append(schema.pack(model), files))
    return {"path": FILE, "requires": needed}


def _without(model: Any, names: set[str]) -> list[Any]:
    """The metadata entries of other names; the buffers of the left out ones go too, or are emptied in their place."""
    gone = [entry for entry in model.metadata or () if (entry.name or b"").decode() in names]
    for entry in sorted(gone, key=lambda item: -int(item.buffer)):
        if entry.buffer == len(model.buffers) - 1:
            model.buffers.pop()
        else:
            model.buffers[entry.buffer].data = None
    return [entry for entry in model.metadata or () if entry not in gone]


def _official(model: Any, description: Mapping[str, Any], mapping: Mapping[str, Mapping[str, str]]) -> bytes:
    graph = model.subgraphs[0]
    names = []
    for end, indices in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        source = {own: name for name, own in mapping[end].items()}
        own = [schema.tensor_name(graph.tensors[index]) for index in indices]
        names.append([source.get(name, name) for name in own])
    return metadata.build(description, *names)


def read_stamp(path: Path) -> dict[str, str]:
    """Return the metadata entries of a file that start with `packager.`, as text."""
    model = schema.load(path)
    found = {}
    for entry in model.metadata or ():
        name = (entry.name or b"").decode()
        if name.startswith("packager."):
            found[name] = bytes(model.buffers[entry.buffer].data).decode()
    return found
