"""Keras' own zip format: `.keras`, written by Keras 3 or by tf-keras."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.archive import BROKEN_ZIP, FetchError, check_size
from packager.core.errors import ModelError
from packager.core.hashing import sha256_file
from packager.model.recipes import Known
from packager.model.source import ModelSource
from packager.sources._keras import known as layers
from packager.sources._keras.interface import describe
from packager.sources._keras.network import Network, read_network
from packager.sources._keras.refusals import refuse

SUMMARY = "Keras model in a .keras file"
SUFFIXES = (".keras",)
OPEN = "packager.sources.keras.open:open_model"
RUN = "packager.sources.keras.open:run"
RUN_WORKER = "tf"
TOOLS = ("tensorflow", "keras", "tf-keras", "h5py", "numpy")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.frozen",
    "packager.importers.liveness",
    "packager.sources._keras",
    "packager.sources.keras",
)

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MOST = 64 << 20


def detect(path: Path) -> bool:
    """Whether the file is a zip archive with `config.json` and `metadata.json`."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {_CONFIG, _METADATA} <= set(archive.namelist())
    except BROKEN_ZIP:
        return False


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:
    """Read the configuration, never the code. Raises ModelError for Lambda, custom layers and broken files."""
    network, facts = read(path)
    refuse(network, path.name)
    return describe("keras", sha256_file(path), network, shapes, facts)


def known(path: Path) -> Known:
    """Layers inside the model that scale the raw levels."""
    return layers.known(read(path)[0])


def read(path: Path) -> tuple[Network, dict[str, Any]]:
    """Return the network and {keras_version, weight_bytes}. Raises ModelError."""
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                _check(info, path.name)
            config, metadata = _json(archive, _CONFIG), _json(archive, _METADATA)
            weights = archive.getinfo(_WEIGHTS).file_size
    except FetchError as fault:
        raise ModelError(f"{path.name}: {fault}", hint="save the model again") from fault
    except (*BROKEN_ZIP, KeyError) as fault:
        raise ModelError(
            f"{path.name} is a broken Keras file ({fault})",
            expected=f"a zip archive with {_CONFIG}, {_METADATA} and {_WEIGHTS}",
            hint="copy the file again, or save the model again",
        ) from fault
    if not isinstance(config, dict) or config.get("class_name") not in ("Functional", "Model", "Sequential"):
        found = config.get("class_name") if isinstance(config, dict) else type(config).__name__
        raise ModelError(
            f"{path.name} holds a model of the custom class {found!r}, whose code the file does not hold",
            expected="a Sequential or Functional model",
            hint="export it: model.export(FOLDER) gives a SavedModel that holds the computation",
        )
    facts = {"keras_version": str(metadata.get("keras_version", "3")), "weight_bytes": weights}
    return read_network(config), facts


def _check(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & 1:
        raise ModelError(f"{info.filename} in {name} is encrypted", hint="decrypt the file before it is packaged")
    check_size(info.filename, info.file_size, info.compress_size)


def _json(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > _MOST:
        raise ValueError(f"{name} is larger than {_MOST >> 20} MiB")
    return json.loads(archive.read(name))
