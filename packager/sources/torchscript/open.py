"""TorchScript, in a child process that has torch (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.sources._torch import work


def export(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Write `out/model.onnx`, compared with torch; see `work.export`. Raises ModelError and ConvertError."""
    return work.export(request, inputs, out)


def run(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path) -> dict[str, Any]:
    """Run the original in torch on the folder `feeds`; see `work.run`. Raises ModelError."""
    return work.run(request, inputs, out)
