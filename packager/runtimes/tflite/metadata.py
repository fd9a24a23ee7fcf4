"""TensorFlow Lite's own model metadata: the flatbuffer `ModelMetadata` (identifier M001) and its associated files.

Layout from `metadata_schema.fbs`, schema version 1.5.0, of TensorFlow Lite Support; all fields written here are in its
version 1.0.0. Associated files are a ZIP archive behind the model, as `MetadataPopulator` of that library appends it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import flatbuffers

NAME = "TFLITE_METADATA"
IDENTIFIER = b"M001"
PARSER_VERSION = "1.0.0"
_AXIS_LABELS = 2
_FEATURE, _IMAGE = 1, 2
_NORMALIZATION = 1
_COLORS = {"rgb": 1, "grey": 2}
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Fields:
    """A table of the flatbuffer: its values by field number. `size` is the number of fields that the schema has."""

    def __init__(self, size: int, values: Mapping[int, Any]) -> None:
        self.size = size
        self.values = {slot: value for slot, value in values.items() if value not in (None, "", (), [])}

    def write(self, builder: Any) -> int:
        """Write all that the table refers to, then the table; returns its offset."""
        offsets = {slot: _write(builder, value) for slot, value in self.values.items() if not isinstance(value, Scalar)}
        builder.StartObject(self.size)
        for slot, value in self.values.items():
            if isinstance(value, Scalar):
                getattr(builder, f"Prepend{value.kind}Slot")(slot, value.number, 0)
            else:
                builder.PrependUOffsetTRelativeSlot(slot, offsets[slot], 0)
        return int(builder.EndObject())


class Scalar:
    """A number that stands in its table. `kind` as the flatbuffer builder calls it."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind, self.number = kind, number


def _write(builder: Any, value: Any) -> int:
    if isinstance(value, Fields):
        return value.write(builder)
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value[0], float):
        builder.StartVector(4, len(value), 4)
        for number in reversed(value):
            builder.PrependFloat32(number)
        return int(builder.EndVector())
    offsets = [_write(builder, item) for item in value]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def build(description: Mapping[str, Any], inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """The flatbuffer. `inputs` and `outputs` are the source's tensor names in the order of the file's interface.

    `description` is the JSON form of `packager.model.description.Description`.
    """
    fed = {item["tensor"]: item for item in description["inputs"]}
    made = {tensor: item for item in description["outputs"] for tensor in item["tensors"]}
    graph = Fields(
        10,
        {2: [_input(name, fed.get(name)) for name in inputs], 3: [_output(name, made.get(name)) for name in outputs]},
    )
    model = Fields(
        8,
        {
            0: description["name"],
            1: f"Contract {description['contract']}",
            2: description["version"],
            3: [graph],
            5: description["license"],
            7: PARSER_VERSION,
        },
    )
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.write(builder), IDENTIFIER)
    return bytes(builder.Output())


def _input(tensor: str, item: Mapping[str, Any] | None) -> Fields:
    if item is None:
        return Fields(7, {0: tensor, 3: _content(None)})
    pixels = item["pixels"] if item["pixels"] and item["pixels"]["layout"] == "nhwc" else None
    units = []
    if pixels is not None:
        options = Fields(2, {0: [float(x) for x in pixels["mean"]], 1: [float(x) for x in pixels["std"]]})
        units = [Fields(2, {0: Scalar("Uint8", _NORMALIZATION), 1: options})]
    return Fields(7, {0: item["name"], 1: item["about"], 3: _content(pixels), 4: units})


def _content(pixels: Mapping[str, Any] | None) -> Fields:
    if pixels is None:
        return Fields(2, {0: Scalar("Uint8", _FEATURE), 1: Fields(0, {})})
    size = Fields(2, {0: Scalar("Uint32", pixels["width"]), 1: Scalar("Uint32", pixels["height"])})
    color = Scalar("Int8", _COLORS.get(pixels["color"], 0))
    return Fields(2, {0: Scalar("Uint8", _IMAGE), 1: Fields(2, {0: color, 1: size})})


def _output(tensor: str, item: Mapping[str, Any] | None) -> Fields:
    if item is None:
        return Fields(7, {0: tensor, 3: _content(None)})
    files = []
    if _label_file(item):
        files = [Fields(5, {0: label_file_name(item["name"]), 1: "Labels by class", 2: Scalar("Int8", _AXIS_LABELS)})]
    return Fields(7, {0: item["name"], 1: item["about"], 3: _content(None), 6: files})


def _label_file(item: Mapping[str, Any]) -> bool:
    """Whether labels can be lines of a file that annotate the tensor's last axis."""
    return bool(item["direct"]) and not any(set(label) & set("\r\n") for label in item["labels"])


def label_file_name(output: str) -> str:
    """Name of the associated file with the labels of an output."""
    return f"labels_{output}.txt"


def associated_files(description: Mapping[str, Any]) -> dict[str, bytes]:
    """Content by name: one file of labels per output that has some, one label in a line."""
    return {
        label_file_name(item["name"]): "".join(f"{label}\n" for label in item["labels"]).encode()
        for item in description["outputs"]
        if item["labels"] and _label_file(item)
    }


def append(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """The model with the files behind it as a stored ZIP archive; equal input gives equal bytes."""
    if not files:
        return model
    buffer = io.BytesIO(model)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), files[name])
    return buffer.getvalue()


def cannot(description: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a contract this metadata cannot say, in words."""
    notes = []
    for item in description["inputs"]:
        if item["why_not"]:
            notes.append(f"input `{item['name']}`: no normalisation in the TFLite metadata, {item['why_not']}")
        elif item["pixels"] and item["pixels"]["layout"] != "nhwc":
            notes.append(f"input `{item['name']}`: TFLite metadata knows images with channels last only")
        elif item["pixels"] and item["pixels"]["color"] not in _COLORS:
            notes.append(f"input `{item['name']}`: TFLite metadata has no word for {item['pixels']['color']}")
    notes += [
        f"output `{item['name']}`: its labels are no lines of a file for the tensor's last axis in the TFLite metadata"
        for item in description["outputs"]
        if item["labels"] and not _label_file(item)
    ]
    return tuple(notes)
