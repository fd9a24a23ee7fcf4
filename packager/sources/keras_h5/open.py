"""Opens Keras files in HDF5 (worker side)."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from packager.importers.frozen import FrozenModel
from packager.sources._keras.graph import freeze_keras, open_keras, run_keras
from packager.sources._keras.network import Network
from packager.sources._keras.refusals import refuse
from packager.sources.keras_h5 import read


def _load(path: Path) -> tuple[Any, Network]:
    network, facts = read(path)
    refuse(network, path.name)
    with tempfile.TemporaryDirectory() as folder:
        return open_keras(_completed(path, Path(folder)), facts["keras_version"], ".h5"), network


def _completed(path: Path, folder: Path) -> Path:
    """The file, or a copy that says what Keras before 2.1.3 left out because there was no choice then."""
    with h5py.File(path, "r") as file:
        stored = file.attrs["model_config"]
    text = stored.decode("utf-8") if isinstance(stored, bytes) else str(stored)
    config = json.loads(text)
    _complete(config)
    if config == json.loads(text):
        return path
    copy = Path(shutil.copyfile(path, folder / path.name))
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
    return copy


def _complete(value: Any) -> None:
    """A GRU without `reset_after` has the biases of `reset_after: false`; newer readers take the other."""
    if isinstance(value, dict):
        if value.get("class_name") in ("GRU", "GRUCell") and isinstance(value.get("config"), dict):
            value["config"].setdefault("reset_after", False)
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            _complete(inner)


def open_model(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path | None = None) -> FrozenModel:  # noqa: ARG001
    """Return the frozen function. `request`: {shapes: {input: [sizes]}}; `inputs`: `model`. Raises ModelError."""
    return freeze_keras(*_load(inputs["model"]), request.get("shapes", {}))


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:  # noqa: ARG001
    """Run the source itself, not frozen, on the folder `feeds`; writes `out/<n>.npz` by source name.

    Raises ModelError.
    """
    return run_keras(*_load(inputs["model"]), inputs["feeds"], out)
