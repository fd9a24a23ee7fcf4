"""Opens Keras files in HDF5 (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.importers.frozen import FrozenModel
from packager.sources._keras.graph import freeze_keras, open_keras, run_keras
from packager.sources._keras.network import Network
from packager.sources._keras.refusals import refuse
from packager.sources.keras_h5 import read


def _load(path: Path) -> tuple[Any, Network]:
    network, facts = read(path)
    refuse(network, path.name)
    return open_keras(path, facts["keras_version"], ".h5"), network


def open_model(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path | None = None) -> FrozenModel:  # noqa: ARG001
    """Return the frozen function. `request`: {shapes: {input: [sizes]}}; `inputs`: `model`. Raises ModelError."""
    return freeze_keras(*_load(inputs["model"]), request.get("shapes", {}))


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:  # noqa: ARG001
    """Run the source itself, not frozen, on the folder `feeds`; writes `out/<n>.npz` by source name.

    Raises ModelError.
    """
    return run_keras(*_load(inputs["model"]), inputs["feeds"], out)
