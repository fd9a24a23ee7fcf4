"""Hugging Face's `preprocessor_config.json` and `config.json`, where they stand beside the model.

The keys are those of the library's `BaseImageProcessor` classes, and of the older feature extractors, which wrote a
single number as `size` (https://huggingface.co/docs/transformers/main_classes/image_processor).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packager.core.errors import ModelError
from packager.model.recipes import Known

_METHODS = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}
"""Pillow's numbers of resampling filters, which the file uses (`PIL.Image.Resampling`)."""

_SHORTER = ("CLIP", "ConvNext", "MobileNet", "PoolFormer", "Levit", "BlipClip", "Siglip2", "EfficientFormer")
"""Processors that take a single number as the shorter side; the others make a square of it."""

_CROP_PCT = 224 / 256
_PLAIN_FROM = 384
"""ConvNext's processor: part of the picture that is kept, and the size from which on nothing is cut."""

_MOST = 16 << 20
_LONGEST_INDEX = 10
Sides = tuple[int, int]


def read(model: Path) -> Known:
    """What the two files beside `model` say; an empty `Known` where there are none. Raises ModelError."""
    folder = model if model.is_dir() else model.parent
    given = _read(folder / "preprocessor_config.json")
    labels = _labels(_read(folder / "config.json").get("id2label"))
    origin = tuple(name for name, found in (("preprocessor_config.json", given), ("config.json", labels)) if found)
    try:
        return Known(labels=labels, origin=origin, **(_picture(given) if given else {}))
    except (TypeError, ValueError, KeyError, ZeroDivisionError, OverflowError) as fault:
        raise ModelError(
            f"preprocessor_config.json cannot be understood ({type(fault).__name__}: {fault})",
            expected="the file that Hugging Face's image processors write",
            hint="mend it, or move it away",
        ) from fault


def _picture(given: Mapping[str, Any]) -> dict[str, Any]:
    if not _is_picture(given):
        return {}
    mean, std = _scale(given)
    resizes = bool(given.get("do_resize", True))
    method = given.get("resample") if resizes else None
    turned = given.get("do_flip_channel_order")
    return {
        "mean": mean,
        "std": std,
        "color": "bgr" if turned else "rgb",
        "method": _METHODS.get(method) if isinstance(method, int) else None,
        **(_geometry(given) if resizes else {}),
    }


def _is_picture(given: Mapping[str, Any]) -> bool:
    keys = {"image_mean", "image_std", "do_normalize", "do_rescale", "do_resize", "size", "rescale_factor"}
    return bool(keys & set(given)) and "sampling_rate" not in given


def _scale(given: Mapping[str, Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(level * factor - offset - mean) / std in the form (level - m) / s, for levels 0 to 255."""
    factor = float(given.get("rescale_factor", 1 / 255)) if given.get("do_rescale", True) else 1.0
    offset = 1.0 if given.get("rescale_offset") and given.get("do_rescale", True) else 0.0
    mean, std = given.get("image_mean"), given.get("image_std")
    if not given.get("do_normalize", mean is not None) or mean is None or std is None:
        return (_round(offset / factor),), (_round(1 / factor),)
    means, spreads = _numbers(mean), _numbers(std)
    if _kind(given).startswith("EfficientNet") and given.get("include_top"):  # divides by the deviations once more
        spreads_twice = [s * s for s in spreads]
        return _affine(means, offset, factor), tuple(_round(s / factor) for s in spreads_twice)
    return _affine(means, offset, factor), tuple(_round(s / factor) for s in spreads)


def _affine(means: list[float], offset: float, factor: float) -> tuple[float, ...]:
    return tuple(_round((mean + offset) / factor) for mean in means)


def _numbers(value: Any) -> list[float]:
    return [float(number) for number in (value if isinstance(value, list) else [value])]


def _round(value: float) -> float:
    return float(f"{value:.9g}")


def _kind(given: Mapping[str, Any]) -> str:
    return str(given.get("image_processor_type") or given.get("feature_extractor_type") or "")


def _geometry(given: Mapping[str, Any]) -> dict[str, Any]:
    """Shorter side or size, and the centre that is cut out of it; nothing where the size depends on the picture, or
    where the centre is larger than the picture and zeros are put around it.
    """
    shorter, resized = _size(given)
    if _kind(given).startswith("ConvNext") or ("crop_pct" in given and "crop_size" not in given):
        return _convnext(shorter, float(given.get("crop_pct") or _CROP_PCT))
    if given.get("do_center_crop"):
        cut = _sides(given.get("crop_size")) or resized or (shorter or 0, shorter or 0)
        if resized is not None:
            return _cut(cut, resized, {"fit": "stretch"} if cut == resized else {"resized": resized})
        shorter = _larger(given, shorter)
        return _cut(cut, (shorter, shorter), {"shorter": shorter}) if shorter else {}
    if resized is None or given.get("do_pad"):
        return {}
    return {"size": resized, "fit": "stretch"}


def _cut(cut: Sides, of: Sides, way: dict[str, Any]) -> dict[str, Any]:
    return {"size": cut, **way} if cut[0] <= of[0] and cut[1] <= of[1] else {}


def _larger(given: Mapping[str, Any], shorter: int | None) -> int | None:
    """The shorter side that the picture really gets: two processors make it larger than `size` says."""
    if shorter is None:
        return None
    if _kind(given).startswith("Levit"):
        return int(shorter / _CROP_PCT)
    return int(shorter / float(given["crop_pct"])) if given.get("crop_pct") else shorter


def _size(given: Mapping[str, Any]) -> tuple[int | None, Sides | None]:
    """`size` as the shorter side, or as height and width."""
    size = given.get("size")
    if isinstance(size, Mapping):
        if "height" in size and "width" in size:
            return None, (int(size["height"]), int(size["width"]))
        shorter = size.get("shortest_edge")
        return (int(shorter) if shorter and not size.get("longest_edge") else None), None
    sides = _sides(size)
    if sides is None or isinstance(size, list):
        return None, sides
    alone = any(word in _kind(given) for word in _SHORTER) or (not _kind(given) and given.get("do_center_crop"))
    return (sides[0], None) if alone else (None, sides)


def _sides(value: Any) -> Sides | None:
    """Height and width: of a number, a list or a mapping."""
    if isinstance(value, Mapping):
        both = (value.get("height"), value.get("width"))
        return (int(both[0]), int(both[1])) if both[0] and both[1] else None
    if isinstance(value, list):
        if len(value) != 2:
            raise ValueError(f"a size of {len(value)} numbers, where height and width are two")
        height, width = value
        return (int(height), int(width))
    return (int(value), int(value)) if value else None


def _convnext(shorter: int | None, share: float) -> dict[str, Any]:
    if shorter is None:
        return {}
    size = (shorter, shorter)
    return (
        {"size": size, "fit": "stretch"} if shorter >= _PLAIN_FROM else {"size": size, "shorter": int(shorter / share)}
    )


def _labels(names: Any) -> tuple[str, ...]:
    if not isinstance(names, Mapping) or not all(isinstance(text, str | int | float) for text in names.values()):
        return ()
    numbered = {int(key): str(text) for key, text in names.items() if key.isdecimal() and len(key) < _LONGEST_INDEX}
    labels = tuple(numbered[i] for i in range(len(numbered))) if set(numbered) == set(range(len(numbered))) else ()
    return () if labels == tuple(f"LABEL_{i}" for i in range(len(labels))) else labels


def _read(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    if file.stat().st_size > _MOST:
        raise ModelError(f"{file.name} is larger than {_MOST >> 20} MiB", expected="a short JSON file")
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as fault:
        raise ModelError(f"{file.name} is not JSON ({fault})", hint="mend it, or move it away") from fault
    except OSError as fault:
        raise ModelError(f"{file.name} cannot be read: {fault.strerror}", hint="check its rights") from fault
    return value if isinstance(value, dict) else {}
