"""Writes contract hash, labels and what ONNX's metadata can say into an ONNX file (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from packager.core.hashing import canonical_json
from packager.runtimes.onnx.requirements import requirements

FILE = "model.onnx"
CONTRACT = "packager.contract"
LABELS = "packager.labels"
PIXELS = "packager.pixels"
_FORMATS = {"rgb": "Rgb8", "bgr": "Bgr8", "grey": "Gray8"}
_RANGES = {(0.0, 1.0): "NominalRange_0_255", (0.0, 255.0): "Normalized_0_1", (127.5, 127.5): "Normalized_1_1"}


def stamp(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Copy the model to `out/model.onnx` with `metadata_props`; the graph stays as it is.

    `packager.contract`; `packager.labels` (canonical JSON, where there are labels); with a description also
    `model_license`, `packager.pixels` (size, colour, mean, std by the file's own input) and, for a model of one image,
    the `Image.*` keys that ONNX defines (MetadataProps.md). `request`: {contract: hash, labels: {output: [label]},
    description: JSON or nothing, mapping}.
    """
    model = onnx.load(inputs["model"])
    entries = {CONTRACT: request["contract"]}
    if request.get("labels"):
        entries[LABELS] = canonical_json(request["labels"]).decode()
    if request.get("description"):
        entries |= described(request["description"], request["mapping"])
    ours = ("packager.", "Image.")
    kept = [(e.key, e.value) for e in model.metadata_props if e.key not in entries and not e.key.startswith(ours)]
    del model.metadata_props[:]
    for key, value in (*kept, *sorted(entries.items())):
        model.metadata_props.add(key=key, value=value)
    (out / FILE).write_bytes(model.SerializeToString(deterministic=True))
    return {"path": FILE, "requires": requirements(model)}


def described(description: Mapping[str, Any], mapping: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Metadata entries of a description."""
    entries = {"model_license": description["license"]}
    pixels = {
        mapping["inputs"].get(item["tensor"], item["tensor"]): item["pixels"]
        for item in description["inputs"]
        if item["pixels"] is not None
    }
    if pixels:
        entries[PIXELS] = canonical_json(pixels).decode()
    if len(pixels) == len(description["inputs"]) == 1:
        (image,) = pixels.values()
        affine = set(zip(image["mean"], image["std"], strict=True))
        entries["Image.BitmapPixelFormat"] = _FORMATS[image["color"]]
        entries["Image.ColorSpaceGamma"] = "SRGB"
        if len(affine) == 1 and affine <= set(_RANGES):
            entries["Image.NominalPixelRange"] = _RANGES[affine.pop()]
    return entries


def read_stamp(path: Path) -> dict[str, str]:
    """Return the metadata entries of a file that start with `packager.`."""
    props = onnx.load(path).metadata_props
    return {entry.key: entry.value for entry in props if entry.key.startswith("packager.")}
