"""From a picture of any size to the model's: what is known of it, else the usual ways."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from packager.model.recipes import Known, Step

FITS = ("crop", "stretch", "letterbox")
METHODS = ("bilinear", "bicubic")


CLASSIFIED = 64
"""Sides of a square from which on a margin around the centre is usual: the shorter side is resized to 256 for a centre
of 224, and likewise for other sizes (torchvision's and timm's evaluation of ImageNet's classifiers).
"""


@dataclass(frozen=True)
class Fitting:
    """The steps of one way, and what it is called in rankings."""

    steps: tuple[Step, ...]
    words: str


def fittings(height: int, width: int, known: Known) -> Iterator[Fitting]:
    """Ways to height x width, the known one alone where there is one. A known size that is another is no fact here."""
    applies = known.size in (None, (height, width))
    for method in _methods(known) if applies and (known.shorter or known.resized) else ():
        yield _cut(height, width, method, known)
    if applies and (known.shorter or known.resized):
        return
    usual = tuple(sorted(FITS, key=lambda fit: fit != known.usual_fit))
    fits = (known.fit,) if known.fit is not None and applies else usual
    sure = known.fit is not None and applies
    for fit, method in itertools.product(fits, _methods(known)):
        yield _direct(height, width, fit, method, known, sure=sure)
    if not sure and height == width >= CLASSIFIED:
        for method in _methods(known):
            yield _centre(height, method, known)


def _methods(known: Known) -> tuple[str, ...]:
    return (known.method,) if known.method is not None else METHODS


def _direct(height: int, width: int, fit: str, method: str, known: Known, *, sure: bool) -> Fitting:
    params: dict[str, Any] = {"width": width, "height": height, "fit": fit, **_how(method, known)}
    if fit == "letterbox" and known.fill:
        params["fill"] = known.fill
    unsure = [text for text, fact in ((fit, sure), (method, known.method is not None)) if not fact]
    return Fitting((Step("resize", params, " and ".join(unsure)),), f"{fit}, {method}")


def _cut(height: int, width: int, method: str, known: Known) -> Fitting:
    """Resized by its shorter side, or to a size of its own; then the centre."""
    guess = "" if known.method is not None else method
    if known.shorter:
        first = Step("resize", {"shorter": known.shorter, **_how(method, known)}, guess)
        words = f"shorter side {known.shorter}"
    else:
        tall, wide = known.resized or (height, width)
        first = Step("resize", {"width": wide, "height": tall, "fit": "stretch", **_how(method, known)}, guess)
        words = f"stretch to {wide} x {tall}"
    cut = Step("crop", {"width": width, "height": height})
    return Fitting((first, cut), f"{words}, centre, {method}")


def _centre(side: int, method: str, known: Known) -> Fitting:
    larger = round(side * 256 / 224)
    unsure = "the margin around the centre" + ("" if known.method is not None else f" and {method}")
    steps = (
        Step("resize", {"shorter": larger, "like": "pillow", "method": method}, unsure),
        Step("crop", {"width": side, "height": side}, "the centre"),
    )
    return Fitting(steps, f"shorter side {larger}, centre, {method}")


def _how(method: str, known: Known) -> dict[str, str]:
    return {"like": known.like or "pillow", "method": method}
