"""Runs image packages in the evaluator: tensors of the contract become the pixels that they came from (worker side)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from packager.core.errors import ConvertError
from packager.core.samples import read_sample, sample_paths, write_sample
from packager.runtimes.coreml.mil import MilProgram
from packager.runtimes.coreml.run import HALF
from packager.runtimes.coreml.stamp import LABELS, PIXELS
from packager.runtimes.coreml_image.interface import SCORES


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """As `coreml`'s run. Raises ConvertError for a tensor that no image gives."""
    program, mapping = MilProgram.load(inputs["model"]), request["mapping"]
    pixels = json.loads(program.metadata[PIXELS])
    labels = [name for names in json.loads(program.metadata.get(LABELS, "{}")).values() for name in names]
    for path in sample_paths(inputs["feeds"]):
        sample = read_sample(path)
        feeds = {own: image_of(sample[name], pixels[own]) for name, own in mapping["inputs"].items() if name in sample}
        for kernel_set in request["kernel_sets"]:
            got = program.predict(feeds, half=HALF[kernel_set])
            arrays = {name: _output(got, own, labels) for name, own in mapping["outputs"].items()}
            write_sample(out / kernel_set, int(path.stem), arrays)
    return {"kernel_sets": list(request["kernel_sets"])}


def image_of(tensor: NDArray[Any], pixels: Mapping[str, Any]) -> NDArray[np.uint8]:
    """float32 [1, h, w, c] or [1, c, h, w] -> uint8 [h, w, c]: the values whose (v - mean) / std the tensor holds."""
    planes = tensor[0].transpose(1, 2, 0) if pixels["layout"] == "nchw" else tensor[0]
    mean, std = np.array(pixels["mean"], np.float32), np.array(pixels["std"], np.float32)
    table = (np.arange(256, dtype=np.float32)[:, None] - mean) / std
    found = np.rint(planes * std + mean).clip(0, 255).astype(np.uint8)
    if not np.array_equal(np.take_along_axis(table, found.reshape(-1, len(mean)), 0).reshape(planes.shape), planes):
        raise ConvertError(
            "a model input is not what an 8-bit image gives", expected=f"(v - {mean}) / {std}, v = 0..255"
        )
    return found


def _output(got: Mapping[str, Any], own: str, labels: list[str]) -> NDArray[Any]:
    if own in got:
        return np.asarray(got[own])
    return np.array([[got[SCORES][label] for label in labels]], np.float32)
