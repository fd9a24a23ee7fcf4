"""Pictures: the usual ways from an 8-bit RGB image to a model's float or int8 input."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec
from packager.recipes.image.fitting import Fitting, fittings
from packager.recipes.image.hub_config import read as known_beside

SUMMARY = "a picture: [1, height, width, channels] or [1, channels, height, width]"
SIDE: Literal["input", "output"] = "input"
ORDER = 10

SMALLEST, LARGEST = 8, 4096


@dataclass(frozen=True)
class Range:
    """How levels 0 to 255 become floats: (x - mean) / std; without them by the image's own mean and deviation."""

    words: str
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()


RANGES = (
    Range("-1..1", (127.5,), (127.5,)),
    Range("0..1", (0.0,), (255.0,)),
    Range("0..255", (0.0,), (1.0,)),
    Range("ImageNet mean and std", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    Range("ImageNet mean", (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
    Range("each image's own mean and std"),
)
"""Means and deviations in RGB order: Keras' `preprocess_input` modes `tf`, none, `torch` and `caffe`, and
`tf.image.per_image_standardization`, which is tried for grey pictures alone."""

RAW, UNIT = Range("0..255", (0.0,), (1.0,)), Range("0..1", (0.0,), (255.0,))


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """Range, channel order, fit and method in all combinations, but for what is known; grey has no channel order."""
    place = _place(tensor)
    if place is None:
        return ()
    height, width, channels, first = place
    if known.mean is not None and len(known.mean) not in (1, channels):
        known = replace(known, mean=None, std=None)  # of another picture than this one
    made = []
    for fitting, scale, order in itertools.product(
        fittings(height, width, known), _ranges(known, channels, tensor), _orders(known, channels)
    ):
        steps = list(_steps(fitting, scale, order, known))
        if first:
            steps.append(Step("layout", {"order": "nchw"}))
        if tensor.dtype == "int8" and tensor.quantization is not None:
            held = tensor.quantization
            steps.append(Step("quantize", {"scale": held.scale, "zero_point": held.zero_point}))
        words = f"{scale.words}, {order.upper() if order != 'grey' else order}, {fitting.words}"
        name = known.names.get(tensor.name, "photo")
        made.append(Proposal(name, tuple(steps), words, {"image": {}}))
    return made


def _place(tensor: TensorSpec) -> tuple[int, int, int, bool] | None:
    """Height, width, channels and whether channels come first; None where it is no picture."""
    whole = tensor.dtype == "int8" and tensor.quantization is not None
    if (tensor.dtype != "float32" and not whole) or len(tensor.shape) != 4 or tensor.shape[0] != 1:
        return None
    _, a, b, c = (size or 0 for size in tensor.shape)
    if c in (1, 3) and _side(a) and _side(b):
        return a, b, c, False
    if a in (1, 3) and _side(b) and _side(c):
        return b, c, a, True
    return None


def _side(size: int) -> bool:
    return SMALLEST <= size <= LARGEST


def _orders(known: Known, channels: int) -> tuple[str, ...]:
    if channels != 3:
        return ("grey",)
    return (known.color,) if known.color in ("rgb", "bgr") else ("rgb", "bgr")


def _ranges(known: Known, channels: int, tensor: TensorSpec) -> tuple[Range, ...]:
    """What is known; else what layers of the model leave open, what its integers can hold, or all usual ones."""
    if known.mean is not None and known.std is not None:
        words = next((r.words for r in RANGES if (r.mean, r.std) == (known.mean, known.std)), "the model's own range")
        return (Range(words, known.mean, known.std),)
    if known.scales_itself:
        return (RAW, UNIT)
    fitting = tuple(each for each in RANGES if len(each.mean) in (1, channels) or (not each.mean and channels == 1))
    return _by_integers(fitting, tensor) if tensor.dtype == "int8" else fitting


def _by_integers(ranges: tuple[Range, ...], tensor: TensorSpec) -> tuple[Range, ...]:
    """Ranges by how near their ends are to the smallest and largest number that the tensor can hold."""
    assert tensor.quantization is not None
    held = tensor.quantization
    low, high = held.scale * (-128 - held.zero_point), held.scale * (127 - held.zero_point)

    def distance(each: Range) -> float:
        if not each.mean:
            return abs(low + 2) + abs(high - 2)
        ends = [(0 - m) / s for m, s in zip(each.mean, each.std, strict=True)]
        tops = [(255 - m) / s for m, s in zip(each.mean, each.std, strict=True)]
        return (abs(min(ends) - low) + abs(max(tops) - high)) / max(1e-9, high - low)

    return tuple(sorted(ranges, key=distance))


def _steps(fitting: Fitting, scale: Range, order: str, known: Known) -> Iterator[Step]:
    if order == "grey":
        yield Step("grey")
    if order == "bgr":
        yield Step("channels", {"order": "bgr"}, "" if known.color == "bgr" else "BGR")
    yield from fitting.steps
    if not scale.mean:
        yield Step("standardize", {"like": "tensorflow"}, f"range {scale.words}")
        return
    known_range = known.mean is not None
    turned = order == "bgr" and len(scale.mean) == 3 and not known_range
    mean, std = (scale.mean[::-1], scale.std[::-1]) if turned else (scale.mean, scale.std)
    guess = "" if known_range else f"range {scale.words}"
    yield Step("normalize", {"mean": _short(mean), "std": _short(std)}, guess)


def _short(values: tuple[float, ...]) -> float | list[float]:
    return list(values) if len(set(values)) > 1 else values[0]


__all__ = ["ORDER", "SIDE", "SUMMARY", "known_beside", "proposals"]
