"""Gives a converted package its image interface, its class labels and its metadata (worker side)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ConvertError
from packager.runtimes.coreml import stamp as plain
from packager.runtimes.coreml.package import read_spec, weights_of, write_package
from packager.runtimes.coreml_image import check_contract, not_classes
from packager.runtimes.coreml_image.interface import give_labels, take_image


def stamp(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """As `coreml`'s stamp, with every input an image and labels as classes where they can be.

    Raises ConvertError where an input cannot be an image; `plan` has said so before.
    """
    description, mapping = request["description"], request["mapping"]
    reasons = check_contract(description)
    if reasons:
        raise ConvertError(f"Core ML image: {'; '.join(reasons)}", hint="take `coreml` instead of `coreml_image`")
    spec = read_spec(inputs["model"])
    for item in description["inputs"]:
        take_image(spec, mapping["inputs"][item["tensor"]], item["pixels"])
    for item in description["outputs"]:
        if item["labels"] and not not_classes(description, item):
            give_labels(spec, mapping["outputs"][item["tensors"][0]], item["labels"])
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / plain.FOLDER
        write_package(spec, weights_of(inputs["model"]), changed)
        return plain.stamp(request, {"model": changed}, out)
