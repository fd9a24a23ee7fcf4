"""Core ML packages that take a picture (`ImageType`) and, where the contract says so exactly, give class labels.

The same conversion as `coreml`; the contract's last steps and its labels then go into the package itself, for Vision,
Xcode's preview and other users of the model file. The projects feed tensors that the whole contract made, so no engine
runs it: it is asked for under `formats:`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packager.model.source import ModelSource
from packager.runtimes import coreml

SUMMARY = "Core ML with an image as input and class labels, for use beside the projects"
SUFFIX = coreml.SUFFIX
LICENSE = coreml.LICENSE
CONVERT = "packager.runtimes.coreml_image.convert:convert"
RUN = "packager.runtimes.coreml_image.run:run"
STAMP = "packager.runtimes.coreml_image.stamp:stamp"
RUN_WORKER = coreml.RUN_WORKER
TOOLS = coreml.TOOLS
CODE = (
    *coreml.CODE,
    "packager.runtimes.coreml_image.convert",
    "packager.runtimes.coreml_image.interface",
    "packager.runtimes.coreml_image.run",
    "packager.runtimes.coreml_image.stamp",
)

precisions = coreml.precisions
kernel_sets = coreml.kernel_sets
quantized_interface = coreml.quantized_interface
calibrated = coreml.calibrated
takes_original = coreml.takes_original


def check(source: ModelSource, precision: str) -> tuple[str, ...]:
    """As `coreml`; and an image is one picture, never a batch of them."""
    free = tuple(f"an image input is one picture, but the batch of {name!r} is to stay free" for name in source.free)
    return (*free, *coreml.check(source, precision))


def check_contract(description: Mapping[str, Any]) -> tuple[str, ...]:
    """Inputs that are no image, or whose numbers an image cannot give exactly."""
    reasons = []
    for item in description["inputs"]:
        pixels = item["pixels"]
        if pixels is None:
            why = item["why_not"] or "it takes no image"
            reasons.append(f"input `{item['name']}` cannot be an image of Core ML: {why}")
        elif not pixels["exact"]:
            reasons.append(
                f"input `{item['name']}` cannot be an image of Core ML: (value - mean) / std in single float32 "
                "operations differs from the contract's table for some of the 256 values"
            )
    return tuple(reasons)


def cannot_say(description: Mapping[str, Any]) -> tuple[str, ...]:
    """Outputs with labels that cannot be class labels."""
    return tuple(
        f"output `{item['name']}`: no class labels in the Core ML image package, {why}"
        for item in description["outputs"]
        if item["labels"] and (why := not_classes(description, item))
    )


def not_classes(description: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """Why an output's labels cannot be Core ML's class labels; empty where they can."""
    if sum(bool(other["labels"]) for other in description["outputs"]) > 1:
        return "only one output can have them"
    if not item["plain"]:
        return "steps stand before the labels, and their result is not the model's output"
    if len(set(item["labels"])) < len(item["labels"]):
        return "two classes have one label"
    return ""
