"""Opens a `.mlpackage` folder: finds the model's spec, and the weight files that it names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from coremltools.proto import Model_pb2
from google.protobuf.message import DecodeError

from packager.runtimes.coreml.mil.blob import BlobFile
from packager.runtimes.coreml.mil.errors import BadProgram

_MODEL_PATH = "@model_path/"


def _inside(base: Path, relative: str, root: Path) -> Path:
    """`base / relative`, refused when it is absolute, has `..`, or leaves `root` through a link."""
    parts = PurePosixPath(relative)
    path = base / parts
    if not relative or parts.is_absolute() or ".." in parts.parts or "\\" in relative or "\0" in relative:
        raise BadProgram(f"the package names a file outside itself: {relative!r}")
    if not path.resolve().is_relative_to(root.resolve()):
        raise BadProgram(f"the package names a file outside itself through a link: {relative!r}")
    return path


def _spec_path(root: Path) -> Path:
    """Path of the spec that `Manifest.json` names as the root model."""
    manifest = root / "Manifest.json"
    try:
        entries = json.loads(manifest.read_text("utf-8"))
        relative = entries["itemInfoEntries"][entries["rootModelIdentifier"]]["path"]
    except OSError as error:
        raise BadProgram(f"{root.name!r} is no Core ML package: {manifest.name} cannot be read") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadProgram(f"{manifest.name} of {root.name!r} does not name a root model") from error
    if not isinstance(relative, str):
        raise BadProgram(f"{manifest.name} of {root.name!r} does not name a root model")
    return _inside(root / "Data", relative, root)


@dataclass
class Package:
    """An opened package: the parsed spec, and its weight files, read when first asked for."""

    root: Path
    folder: Path
    spec: Model_pb2.Model
    _blobs: dict[str, BlobFile] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Package:
        """Parse the spec. Raises BadProgram for anything that is not a readable mlprogram package."""
        if not path.is_dir():
            raise BadProgram(f"{path.name!r} is not a folder", expected="a Core ML package (.mlpackage)")
        spec_path = _spec_path(path)
        spec = Model_pb2.Model()
        try:
            spec.ParseFromString(spec_path.read_bytes())
        except OSError as error:
            raise BadProgram(f"the spec {spec_path.name!r} of {path.name!r} cannot be read") from error
        except DecodeError as error:
            raise BadProgram(f"the spec {spec_path.name!r} of {path.name!r} is broken") from error
        kind = spec.WhichOneof("Type")
        if kind != "mlProgram":
            raise BadProgram(f"{path.name!r} holds a model of type {kind or 'none'}", expected="mlProgram")
        return cls(path, spec_path.parent, spec)

    def blob(self, file_name: str) -> BlobFile:
        """The weight file that the program calls `@model_path/...`; it must lie inside the package."""
        if file_name not in self._blobs:
            if not file_name.startswith(_MODEL_PATH):
                raise BadProgram(f"a weight names the file {file_name!r}", expected=f"{_MODEL_PATH}...")
            path = _inside(self.folder, file_name.removeprefix(_MODEL_PATH), self.root)
            self._blobs[file_name] = BlobFile.open(path)
        return self._blobs[file_name]
