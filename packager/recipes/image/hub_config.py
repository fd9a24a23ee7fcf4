"""Hugging Face's `preprocessor_config.json` and `config.json`, where they stand beside the model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ModelError
from packager.model.recipes import Known

_METHODS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}
"""Pillow's numbers of resampling filters, which the file uses (`PIL.Image.Resampling`)."""

_MOST = 16 << 20


def read(model: Path) -> Known:
    """What the two files beside `model` say; an empty `Known` where there are none. Raises ModelError."""
    folder = model if model.is_dir() else model.parent
    given = _read(folder / "preprocessor_config.json")
    names = _read(folder / "config.json").get("id2label", {})
    labels = _labels(names) if isinstance(names, Mapping) else ()
    origin = tuple(name for name, found in (("preprocessor_config.json", given), ("config.json", labels)) if found)
    mean, std = _scale(given)
    method = given.get("resample") if given.get("do_resize", True) else None
    return Known(
        labels=labels,
        mean=mean,
        std=std,
        method=_METHODS.get(method) if isinstance(method, int) else None,
        fit=_fit(given),
        origin=origin,
    )


def _scale(given: Mapping[str, Any]) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None]:
    """(level * factor - mean) / std in the form (level - mean) / std, for levels 0 to 255."""
    if not given:
        return None, None
    factor = float(given.get("rescale_factor", 1 / 255)) if given.get("do_rescale", True) else 1.0
    mean, std = given.get("image_mean"), given.get("image_std")
    if not given.get("do_normalize", bool(mean)) or mean is None or std is None:
        return (0.0,), (_round(1 / factor),)
    means = [float(m) for m in (mean if isinstance(mean, list) else [mean])]
    spreads = [float(s) for s in (std if isinstance(std, list) else [std])]
    return tuple(_round(m / factor) for m in means), tuple(_round(s / factor) for s in spreads)


def _round(value: float) -> float:
    return float(f"{value:.9g}")


def _fit(given: Mapping[str, Any]) -> str | None:
    """`crop` where the shorter side is resized and the centre taken, `stretch` where both sides are given."""
    size = given.get("size")
    if not given or not given.get("do_resize", True):
        return None
    if given.get("do_center_crop"):
        return "crop"
    return "stretch" if isinstance(size, Mapping) and "height" in size else None


def _labels(names: Mapping[str, Any]) -> tuple[str, ...]:
    numbered = {int(key): str(text) for key, text in names.items() if str(key).isdecimal()}
    return tuple(numbered[i] for i in range(len(numbered))) if set(numbered) == set(range(len(numbered))) else ()


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    if file.stat().st_size > _MOST:
        raise ModelError(f"{file.name} is larger than {_MOST >> 20} MiB", expected="a short JSON file")
    try:
        value = json.loads(file.read_bytes())
    except ValueError as fault:
        raise ModelError(f"{file.name} is not JSON ({fault})", hint="mend it, or move it away") from fault
    return value if isinstance(value, dict) else {}
