"""Sizes that no converter can get over. Light: from what the readers saw."""

from __future__ import annotations

from packager.model.source import ModelSource

LARGEST = (1 << 31) - 1
"""Bytes of a protobuf message: a TensorFlow graph, an ONNX or a Core ML file."""


def too_large(source: ModelSource) -> tuple[str, ...]:
    """Why a source cannot go through TensorFlow, or be one ONNX file: its float32 weights alone exceed 2 GB."""
    counted = source.facts.get("parameters")
    held = 4 * counted if isinstance(counted, int) else source.facts.get("weight_bytes", 0)
    if held <= LARGEST:
        return ()
    return (
        f"its weights take {held / 1e9:.1f} GB in float32, and a graph of TensorFlow or ONNX holds 2 GB at most: "
        "split the model, or take a smaller one",
    )
