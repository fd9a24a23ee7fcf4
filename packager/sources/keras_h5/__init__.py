"""Keras in HDF5: `.h5` and `.hdf5`, written by any Keras."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from packager.core.archive import FetchError, check_size
from packager.core.errors import ModelError
from packager.core.hashing import sha256_file
from packager.model.recipes import Known
from packager.model.source import ModelSource
from packager.sources._keras import known as layers
from packager.sources._keras.interface import describe
from packager.sources._keras.network import Network, read_network
from packager.sources._keras.refusals import refuse

SUMMARY = "Keras model in an HDF5 file"
SUFFIXES = (".h5", ".hdf5")
OPEN = "packager.sources.keras_h5.open:open_model"
RUN = "packager.sources.keras_h5.open:run"
RUN_WORKER = "tf"
TOOLS = ("tensorflow", "tf-keras", "keras", "h5py", "numpy")
CODE = (
    "packager.importers.batch",
    "packager.importers.folding",
    "packager.importers.frozen",
    "packager.importers.liveness",
    "packager.sources._keras",
    "packager.sources.keras_h5",
)

_MAGIC = b"\x89HDF\r\n\x1a\n"


def detect(path: Path) -> bool:
    """Whether the file starts as an HDF5 file does."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def inspect(path: Path, shapes: Mapping[str, tuple[int | None, ...]]) -> ModelSource:
    """Read the configuration, never the code. Raises ModelError for weights alone, Lambda, custom layers and
    broken files.
    """
    network, facts = read(path)
    refuse(network, path.name)
    return describe("keras_h5", sha256_file(path), network, shapes, facts)


def known(path: Path) -> Known:
    """Layers inside the model that scale the raw levels."""
    return layers.known(read(path)[0])


def read(path: Path) -> tuple[Network, dict[str, Any]]:
    """Return the network and {keras_version, parameters}. Raises ModelError."""
    try:
        with h5py.File(path, "r") as file:
            config = file.attrs.get("model_config")
            version = file.attrs.get("keras_version", "")
            parameters, size = _parameters(file["model_weights"]) if "model_weights" in file else (0, 0)
    except (OSError, RuntimeError, KeyError) as fault:
        raise ModelError(
            f"{path.name} is a broken HDF5 file ({fault})",
            expected="a whole file",
            hint="compare its size with the original and copy it again",
        ) from fault
    try:
        check_size("the weights", size, path.stat().st_size)
    except FetchError as fault:
        raise ModelError(f"{path.name}: {fault}", hint="save the model again, without compression") from fault
    if config is None:
        raise ModelError(
            f"{path.name} holds weights without an architecture",
            expected="a file written by model.save(), with `model_config`",
            hint="build the model in Python, load the weights, and save the whole model",
        )
    return read_network(_json(config, path)), {"keras_version": _text(version), "parameters": parameters}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _json(config: Any, path: Path) -> Any:
    try:
        return json.loads(_text(config))
    except ValueError as fault:
        raise ModelError(f"the configuration in {path.name} is not JSON ({fault})") from fault


def _parameters(group: Any) -> tuple[int, int]:
    """Number of values in all weights of a group, and of bytes that they unpack to."""
    total = size = 0

    def count(_name: str, item: Any) -> None:
        nonlocal total, size
        if isinstance(item, h5py.Dataset):
            total += int(item.size)
            size += int(item.nbytes)

    group.visititems(count)
    return total, size
