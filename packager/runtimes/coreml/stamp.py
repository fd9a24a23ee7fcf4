"""Writes contract hash and labels into a Core ML package's own metadata (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.hashing import canonical_json
from packager.runtimes.coreml.package import read_spec, weights_of, write_package

FOLDER = "model.mlpackage"
CONTRACT = "packager.contract"
LABELS = "packager.labels"


def stamp(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Copy the package to `out/model.mlpackage` with user-defined metadata `packager.contract` and, where there
    are labels, `packager.labels` (canonical JSON). The program stays as it is.

    `request`: {contract: hash, labels: {output: [label]}}.
    """
    spec = read_spec(inputs["model"])
    metadata = spec.description.metadata.userDefined
    metadata.pop(LABELS, None)
    metadata[CONTRACT] = request["contract"]
    if request.get("labels"):
        metadata[LABELS] = canonical_json(request["labels"]).decode()
    write_package(spec, weights_of(inputs["model"]), out / FOLDER)
    return {"path": FOLDER}


def read_stamp(path: Path) -> dict[str, str]:
    """Return the metadata entries of a package that start with `packager.`."""
    metadata = read_spec(path).description.metadata.userDefined
    return {key: metadata[key] for key in sorted(metadata) if key.startswith("packager.")}
