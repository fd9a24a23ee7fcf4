"""The conversion of `coreml`, whose package the stamp then gives its image interface (worker side)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.importers.frozen import FrozenModel
from packager.runtimes.coreml import convert as plain


def convert(request: Mapping[str, Any], inputs: Mapping[str, Path], out: Path, source: FrozenModel) -> dict[str, Any]:
    """As `coreml`'s; tensors as inputs and outputs still. Raises ConvertError."""
    return plain.convert(request, inputs, out, source)
