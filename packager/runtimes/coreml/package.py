"""Writes `.mlpackage` folders whose bytes depend on the model alone."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

from coremltools.proto import Model_pb2

from packager.core.hashing import sha256_bytes

SPEC = Path("Data/com.apple.CoreML/model.mlmodel")
_WEIGHTS = Path("Data/com.apple.CoreML/weights")
_CLOCK = "com.github.apple.coremltools.conversion_date"


def read_spec(package: Path) -> Model_pb2.Model:
    """Return the model's description from a package in coremltools' own layout."""
    spec = Model_pb2.Model()
    spec.ParseFromString((package / SPEC).read_bytes())
    return spec


def write_package(spec: Model_pb2.Model, weights: Path | None, package: Path) -> None:
    """Write a package: the description without clock, weights copied, identifiers derived from the content."""
    spec.description.metadata.userDefined.pop(_CLOCK, None)
    data = spec.SerializeToString(deterministic=True)
    (package / SPEC).parent.mkdir(parents=True)
    (package / SPEC).write_bytes(data)
    if weights is not None and weights.is_dir():
        shutil.copytree(weights, package / _WEIGHTS)
    digest = sha256_bytes(data)
    model_id, weights_id = (str(uuid.UUID(hex=sha256_bytes(f"{part}{digest}".encode())[:32])) for part in "mw")
    entries = {model_id: ("CoreML Model Specification", "model.mlmodel", "com.apple.CoreML/model.mlmodel")}
    if (package / _WEIGHTS).is_dir():
        entries[weights_id] = ("CoreML Model Weights", "weights", "com.apple.CoreML/weights")
    manifest = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": {
            key: {"author": "com.apple.CoreML", "description": about, "name": name, "path": path}
            for key, (about, name, path) in entries.items()
        },
        "rootModelIdentifier": model_id,
    }
    (package / "Manifest.json").write_text(json.dumps(manifest, indent=4, sort_keys=True) + "\n")


def weights_of(package: Path) -> Path:
    """Return the folder of the weights, which may not exist."""
    return package / _WEIGHTS
