"""Writes contract hash, labels and what Core ML's metadata can say into a package (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.hashing import canonical_json
from packager.runtimes.coreml.package import read_spec, weights_of, write_package
from packager.runtimes.coreml.requirements import requirements

FOLDER = "model.mlpackage"
CONTRACT = "packager.contract"
LABELS = "packager.labels"
PIXELS = "packager.pixels"


def stamp(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Copy the package to `out/model.mlpackage` with metadata; program and interface stay as they are.

    User-defined: `packager.contract`; `packager.labels` and `packager.pixels` (size, colour, mean, std by the package's
    own input) as canonical JSON where there are any. With a description also Core ML's own version, licence and short
    descriptions of inputs and outputs. `request`: {contract: hash, labels: {output: [label]}, description: JSON or
    nothing, mapping}. Returns {path, requires}.
    """
    spec = read_spec(inputs["model"])
    entries = {CONTRACT: request["contract"]}
    if request.get("labels"):
        entries[LABELS] = canonical_json(request["labels"]).decode()
    if request.get("description"):
        entries |= _describe(spec, request["description"], request["mapping"])
    metadata = spec.description.metadata.userDefined
    for key in [key for key in metadata if key.startswith("packager.")]:
        metadata.pop(key)
    for key, value in entries.items():
        metadata[key] = value
    write_package(spec, weights_of(inputs["model"]), out / FOLDER)
    return {"path": FOLDER, "requires": requirements(spec)}


def _describe(spec: Any, description: Mapping[str, Any], mapping: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    metadata = spec.description.metadata
    metadata.shortDescription = f"{description['name']}, contract {description['contract']}"
    metadata.versionString, metadata.license = description["version"], description["license"]
    about = {mapping["inputs"].get(item["tensor"], ""): item["about"] for item in description["inputs"]}
    for item in description["outputs"]:
        about |= {mapping["outputs"].get(tensor, ""): item["about"] for tensor in item["tensors"]}
    for feature in (*spec.description.input, *spec.description.output):
        feature.shortDescription = about.get(feature.name, "")
    pixels = {
        mapping["inputs"].get(item["tensor"], item["tensor"]): item["pixels"]
        for item in description["inputs"]
        if item["pixels"] is not None
    }
    return {PIXELS: canonical_json(pixels).decode()} if pixels else {}


def read_stamp(path: Path) -> dict[str, str]:
    """Return the metadata entries of a package that start with `packager.`."""
    metadata = read_spec(path).description.metadata.userDefined
    return {key: metadata[key] for key in sorted(metadata) if key.startswith("packager.")}
