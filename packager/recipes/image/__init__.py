"""Pictures: the usual ways from an 8-bit RGB image to a model's float input."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec
from packager.recipes.image.hub_config import read as known_beside

SUMMARY = "a picture: [1, height, width, channels] or [1, channels, height, width]"
SIDE: Literal["input", "output"] = "input"
ORDER = 10

SMALLEST, LARGEST = 16, 4096


@dataclass(frozen=True)
class Range:
    """How levels 0 to 255 become floats: (x - mean) / std."""

    words: str
    mean: tuple[float, ...]
    std: tuple[float, ...]


RANGES = (
    Range("-1..1", (127.5,), (127.5,)),
    Range("0..1", (0.0,), (255.0,)),
    Range("0..255", (0.0,), (1.0,)),
    Range("ImageNet mean and std", (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    Range("ImageNet mean", (123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
)
"""Means and deviations in RGB order: Keras' `preprocess_input` modes `tf`, none, `torch` and `caffe`."""

FITS = ("crop", "stretch", "letterbox")
METHODS = ("bilinear", "bicubic")


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """Range, channel order, fit and method in all combinations, but for what is known; grey has no channel order."""
    place = _place(tensor)
    if place is None:
        return ()
    height, width, channels, first = place
    made = []
    for fit, method, scale, order in itertools.product(
        _known_first(FITS, known.fit),
        _known_first(METHODS, known.method),
        _ranges(known, channels),
        ("rgb", "bgr") if channels == 3 else ("grey",),
    ):
        steps = list(_steps(height, width, fit, method, scale, order, known))
        if first:
            steps.append(Step("layout", {"order": "nchw"}))
        words = f"{scale.words}, {order.upper() if order != 'grey' else order}, {fit}, {method}"
        made.append(Proposal("photo", tuple(steps), words, {"image": {}}))
    return made


def _place(tensor: TensorSpec) -> tuple[int, int, int, bool] | None:
    """Height, width, channels and whether channels come first; None where it is no picture."""
    if tensor.dtype != "float32" or len(tensor.shape) != 4 or tensor.shape[0] != 1:
        return None
    _, a, b, c = (size or 0 for size in tensor.shape)
    if c in (1, 3) and _side(a) and _side(b):
        return a, b, c, False
    if a in (1, 3) and _side(b) and _side(c):
        return b, c, a, True
    return None


def _side(size: int) -> bool:
    return SMALLEST <= size <= LARGEST


def _known_first(usual: tuple[str, ...], known: str | None) -> tuple[str, ...]:
    return (known,) if known is not None else usual


def _ranges(known: Known, channels: int) -> tuple[Range, ...]:
    if known.scales_itself:
        return (Range("0..255", (0.0,), (1.0,)),)
    if known.mean is not None and known.std is not None:
        return (Range("the model's own mean and std", known.mean, known.std),)
    return tuple(each for each in RANGES if len(each.mean) in (1, channels))


def _steps(height: int, width: int, fit: str, method: str, scale: Range, order: str, known: Known) -> Iterator[Step]:
    unsure = [text for text, fact in ((fit, known.fit), (method, known.method)) if fact is None]
    guess = f"{' and '.join(unsure)}" if unsure else ""
    yield Step("resize", {"width": width, "height": height, "fit": fit, "like": "pillow", "method": method}, guess)
    if order == "grey":
        yield Step("grey")
    if order == "bgr":
        yield Step("channels", {"order": "bgr"}, "BGR")
    turned = order == "bgr" and len(scale.mean) == 3
    mean, std = (scale.mean[::-1], scale.std[::-1]) if turned else (scale.mean, scale.std)
    sure = bool(known.scales_itself) or known.mean is not None
    yield Step("normalize", {"mean": _short(mean), "std": _short(std)}, "" if sure else f"range {scale.words}")


def _short(values: tuple[float, ...]) -> float | list[float]:
    return list(values) if len(values) > 1 else values[0]


__all__ = ["ORDER", "SIDE", "SUMMARY", "known_beside", "proposals"]
