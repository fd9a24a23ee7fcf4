"""What an ONNX file's own metadata says of labels and preprocessing.

Read are the keys that ONNX defines (MetadataProps.md), those of Ultralytics' exporter, those that people write by hand,
and our own stamp's.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from packager.model.recipes import Known, usable

if TYPE_CHECKING:
    import onnx

_LABELS = ("names", "labels", "classes", "class_names", "id2label", "packager.labels")
"""Keys that exporters use: `names` is Ultralytics', the others are common by hand."""

_SIZES = ("imgsz", "input_size", "image_size")
_FORMATS = {"Rgb8": "rgb", "Bgr8": "bgr", "Gray8": "grey"}
_RANGES = {"NominalRange_0_255": (0.0, 1.0), "Normalized_0_1": (0.0, 255.0), "Normalized_1_1": (127.5, 127.5)}
_LICENCE = re.compile(r"([A-Za-z0-9][A-Za-z0-9.+-]*)( License\b.*)?$")
_HEADS = {"detect": "yolo-v8"}


def known(model: onnx.ModelProto) -> Known:
    """Facts of `metadata_props`; a value that cannot be read as what its key means is left out."""
    given = {entry.key: entry.value for entry in model.metadata_props}
    found: dict[str, Any] = {}
    origin: list[str] = []
    for said, keys in (*_plain(given), _ultralytics(given), _stamped(given)):
        facts = usable(said)
        found |= facts
        origin += [f"metadata `{key}`" for key in keys if facts]
    return Known(**found, origin=tuple(dict.fromkeys(origin)))


Facts = tuple[dict[str, Any], tuple[str, ...]]


def _plain(given: Mapping[str, str]) -> Iterator[Facts]:
    """Each kind of fact with the key that said it."""
    for key in _LABELS:
        labels = _labels(_value(given.get(key, "")))
        if labels:
            yield {"labels": labels}, (key,)
            break
    form, pixels = given.get("Image.BitmapPixelFormat", ""), given.get("Image.NominalPixelRange", "")
    if form in _FORMATS:
        yield {"color": _FORMATS[form]}, ("Image.BitmapPixelFormat",)
    if pixels in _RANGES:
        mean, std = _RANGES[pixels]
        yield {"mean": (mean,), "std": (std,)}, ("Image.NominalPixelRange",)
    scale = _affine(_numbers(given.get("mean", "")), _numbers(given.get("std", "")))
    yield scale, ("mean", "std")
    for key in _SIZES:
        size = _numbers(given.get(key, ""))
        if size and all(side >= 1 for side in size) and len(size) <= 2:
            yield {"size": (int(size[0]), int(size[-1]))}, (key,)
            break
    for key in ("model_license", "license"):
        named = _LICENCE.match(given.get(key, ""))
        if named and named[1].upper() not in ("NOASSERTION", "UNKNOWN", "NONE"):
            yield {"license": named[1]}, (key,)
            break


def _affine(mean: tuple[float, ...], std: tuple[float, ...]) -> dict[str, Any]:
    """Mean and std for levels 0 to 255: small ones are meant for 0 to 1; where both could be meant, nothing."""
    if not mean or len(mean) != len(std) or min(std) <= 0:
        return {}
    if max(std) < 1 and max(map(abs, mean)) <= 1:
        return {"mean": tuple(_round(m * 255) for m in mean), "std": tuple(_round(s * 255) for s in std)}
    return {"mean": mean, "std": std} if max(std) > 1 or max(map(abs, mean)) > 1 else {}


def _round(value: float) -> float:
    return float(f"{value:.9g}")


def _ultralytics(given: Mapping[str, str]) -> Facts:
    """What that exporter's models are fed: levels over 255, RGB; detectors get a letterbox with a border of 114 by
    OpenCV, classifiers the centre of a picture resized by its shorter side (docs.ultralytics.com, `LetterBox`,
    `classify_transforms`).
    """
    task, size = given.get("task", ""), _numbers(given.get("imgsz", ""))
    if not {"task", "imgsz", "names", "stride"} <= set(given) or not size:
        return {}, ()
    facts: dict[str, Any] = {"mean": (0.0,), "std": (255.0,), "color": "rgb", "method": "bilinear"}
    if task == "classify":
        return facts | {"shorter": int(min(size))}, ("task",)
    facts |= {"fit": "letterbox", "fill": 114, "like": "opencv-4"}
    return facts | ({"head": _HEADS[task]} if task in _HEADS else {}), ("task",)


def _stamped(given: Mapping[str, str]) -> Facts:
    """What our own stamp says of a file's one image."""
    pixels = _value(given.get("packager.pixels", ""))
    if not isinstance(pixels, Mapping) or len(pixels) != 1:
        return {}, ()
    image = next(iter(pixels.values()))
    try:
        facts = {
            "mean": tuple(map(float, image["mean"])),
            "std": tuple(map(float, image["std"])),
            "size": (int(image["height"]), int(image["width"])),
            "color": str(image["color"]),
        }
    except (TypeError, KeyError, ValueError, OverflowError):
        return {}, ()
    return facts, ("packager.pixels",)


def _value(text: str) -> Any:
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return text.splitlines() if "\n" in text else [part.strip() for part in text.split(",") if part.strip()]


def _labels(value: Any) -> tuple[str, ...]:
    """A list of labels, a mapping from index to label, or our stamp's mapping from the one output to its labels."""
    if isinstance(value, Mapping):
        if len(value) == 1 and isinstance(next(iter(value.values())), list):
            return _labels(next(iter(value.values())))
        try:
            numbered = {int(key): label for key, label in value.items()}
        except (TypeError, ValueError, OverflowError):
            return ()
        whole = set(numbered) == set(range(len(numbered)))
        return _texts([numbered[index] for index in range(len(numbered))]) if whole else ()
    return _texts(value) if isinstance(value, list | tuple) and len(value) > 1 else ()


def _texts(labels: Sequence[Any]) -> tuple[str, ...]:
    """Texts and numbers as texts; nothing where a label is something else."""
    if not all(isinstance(label, str | int | float) for label in labels):
        return ()
    try:
        return tuple(map(str, labels))
    except ValueError:  # an integer of thousands of digits
        return ()


def _numbers(text: str) -> tuple[float, ...]:
    value = _value(text)
    values = value if isinstance(value, list | tuple) else [value]
    try:
        numbers = tuple(float(number) for number in values)
    except (TypeError, ValueError, OverflowError):
        return ()
    return numbers if all(map(math.isfinite, numbers)) else ()
