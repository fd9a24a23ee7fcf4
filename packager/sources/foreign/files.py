"""Kinds of single files that are refused, told by their first bytes, their text or their protocol buffer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packager.importers.protobuf import BrokenMessageError, fields

_TEXT = 1 << 16  # bytes of a text that are looked at
_JSON = 64 << 20


@dataclass(frozen=True)
class Kind:
    """A kind of file: what it is, the sign that it was told by, and the way to a format that is taken."""

    what: str
    sign: str
    way: str


_CAFFE = "convert it to ONNX with caffe2onnx (needs both the .prototxt and the .caffemodel), and take the .onnx file"
_CAFFE2 = "convert it to ONNX: caffe2.python.onnx.frontend.caffe2_net_to_onnx_model of PyTorch 1.x writes one"
_MXNET = "convert it to ONNX: mxnet.onnx.export_model(symbol, params, shapes) of MXNet 1.9 writes one"
_COREML = "a Core ML file is a target here, not a source: take the model that it was converted from, or ONNX of it"
_FROZEN = "convert it: `python -m tf2onnx.convert --graphdef FILE --inputs x:0 --outputs y:0 --output model.onnx`"
_WEIGHTS = "build the model in Python, load these weights, and save or export the whole model"
_UNPACK = "unpack it and name the model that is inside"
_DECRYPT = "decrypt it before it is packaged: a bundle holds the model in the clear"

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\x12\x01\x00\x00\x00\x00\x00\x00", "MXNet weights (.params)", _MXNET),
    (b"Salted__", "encrypted by OpenSSL", _DECRYPT),
    (b"-----BEGIN PGP MESSAGE-----", "encrypted by PGP", _DECRYPT),
    (b"age-encryption.org/", "encrypted by age", _DECRYPT),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "fetch the file: `git lfs pull`"),
    (b"GGUF", "a language model in GGUF", "take the model that it was quantised from, as ONNX"),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\x93NUMPY", "a numpy array", _WEIGHTS),
)


def kind(path: Path) -> Kind | None:
    """The kind of a file, or None for one that is not refused here. Raises OSError."""
    with path.open("rb") as file:
        head = file.read(_TEXT)
    for magic, what, way in _MAGIC:
        if head.startswith(magic):
            return Kind(what, f"it begins with {magic[:8]!r}", way)
    if _safetensors(head):
        return Kind("weights without an architecture (safetensors)", "its header lists tensors", _WEIGHTS)
    text = _text(head)
    return (_of_text(path, text) if text is not None else None) or _of_message(path)


def _safetensors(head: bytes) -> bool:
    size = int.from_bytes(head[:8], "little")
    return len(head) > 10 and 2 <= size < 100 << 20 and head[8:10] == b'{"' and b'"data_offsets"' in head


def _text(head: bytes) -> str | None:
    if not head or b"\0" in head:
        return None
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError as fault:
        return head[: fault.start].decode("utf-8") if fault.start > len(head) - 4 and len(head) == _TEXT else None


def _of_text(path: Path, text: str) -> Kind | None:
    start = text.lstrip("\ufeff \t\r\n")
    if re.match(r"<!doctype html|<html", start, re.IGNORECASE):
        return Kind("a web page, not a model", "it begins with HTML", "the download failed: fetch the file itself")
    if re.search(r"^\s*layers?\s*\{", text, re.MULTILINE) and re.search(r"\b(bottom|top)\s*:", text):
        return Kind("a Caffe network (.prototxt)", "it lists layers with `bottom:` and `top:`", _CAFFE)
    if start.startswith("[net]"):
        way = "convert it and its weights to ONNX with the tools of the project that it is from"
        return Kind("a Darknet network (.cfg)", "it begins with [net]", way)
    if re.match(r"(<\?xml[^>]*>\s*)?<net\b[^>]*version=", start):
        way = "take the model that it was converted from, or its ONNX file"
        return Kind("an OpenVINO network (.xml)", "it begins with <net>", way)
    return _of_json(path) if start.startswith("{") else None


def _of_json(path: Path) -> Kind | None:
    if path.stat().st_size > _JSON:
        return None
    try:
        held = json.loads(path.read_bytes())
    except ValueError:
        return None
    if not isinstance(held, dict):
        return None
    if {"nodes", "arg_nodes", "heads"} <= set(held):
        return Kind("an MXNet network (-symbol.json)", "it has nodes, arg_nodes and heads", _MXNET)
    if "modelTopology" in held and "weightsManifest" in held:
        way = "take the Keras model or SavedModel that it was converted from"
        return Kind("a TensorFlow.js model", "it has modelTopology and weightsManifest", way)
    if "class_name" in held and "config" in held:
        way = "load the weights into it in Python and save the whole model: model.save(file)"
        return Kind("a Keras architecture without weights", "it is the configuration alone", way)
    return None


def _of_message(path: Path) -> Kind | None:
    data = memoryview(path.read_bytes()) if path.suffix.lower() in _MESSAGES else memoryview(b"")
    if not data:
        return None
    try:
        found = list(fields(data))
    except BrokenMessageError:
        return None
    return _MESSAGES[path.suffix.lower()](found)


def _coreml(found: list[tuple[int, Any]]) -> Kind | None:
    numbers = {number for number, _ in found}
    is_model = 1 in numbers and 2 in numbers and any(number >= 200 for number in numbers)
    sign = "it has a specification version and a description"
    return Kind("a Core ML model (.mlmodel)", sign, _COREML) if is_model else None


def _caffe(found: list[tuple[int, Any]]) -> Kind | None:
    held = [value for number, value in found if number in (2, 100) and isinstance(value, memoryview)]
    sign = f"a network of {len(held)} layers"
    return Kind("a Caffe model with weights (.caffemodel)", sign, _CAFFE) if held else None


def _graph(found: list[tuple[int, Any]]) -> Kind | None:
    """A TensorFlow GraphDef (field 1: nodes), or a Caffe2 NetDef (field 2: operators)."""
    first = [value for number, value in found if number == 1 and isinstance(value, memoryview)]
    second = [value for number, value in found if number == 2 and isinstance(value, memoryview)]
    node = _texts(first[0]) if first else {}
    if 1 in node and 2 in node:
        sign = f"its first node is {node[1]!r}, a {node[2]}"
        return Kind("a frozen TensorFlow graph (.pb)", sign, _FROZEN)
    operator = _texts(second[0]) if second else {}
    if 4 in operator and 2 in operator:
        return Kind("a Caffe2 network (.pb)", f"its first operator is {operator[4]}, into {operator[2]!r}", _CAFFE2)
    return None


def _texts(data: memoryview) -> dict[int, str]:
    """Text fields of a message by number; empty for what is none."""
    found = {}
    try:
        for number, value in fields(data):
            if isinstance(value, memoryview):
                found[number] = bytes(value).decode("utf-8")
    except (BrokenMessageError, UnicodeDecodeError):
        return {number: text for number, text in found.items() if text.isprintable()}
    return found


_MESSAGES: dict[str, Callable[[list[tuple[int, Any]]], Kind | None]] = {
    ".mlmodel": _coreml,
    ".caffemodel": _caffe,
    ".pb": _graph,
}
"""Protocol buffers say little of what they are: the suffix and the fields have to agree."""
