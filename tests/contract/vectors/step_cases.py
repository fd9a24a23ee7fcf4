"""Cases of the contract's steps: one native call each, with its input and what the reference gives for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from packager.model.contract import (
    Call,
    Candidates,
    CandidatesType,
    ContractType,
    ImageSize,
    ImageType,
    TensorsType,
    TensorType,
)
from packager.registry import Catalog

REFUSED = "refused"
CATALOG = Catalog()
RNG_SEED = 20_260
GROUPS = ("core", "image", "detect", "camera", "signal", "series")


@dataclass(frozen=True)
class Case:
    """One call. `expected` is an array, a result or `REFUSED`; `tolerance` (absolute, relative) or None: exact.

    `input` is an array, `Candidates`, or several arrays where the step takes several tensors.
    `steps` are the folders whose native files the call needs. `stride`: bytes from row to row of an image input.
    `photo`: size of the original image, for a step that maps places back to it. `fits`: the input is the largest that
    the call is made for, so that it takes all of the stated workspace.
    """

    id: str
    call: Call
    start: ContractType
    input: Any
    expected: Any
    steps: tuple[str, ...]
    tolerance: tuple[float, float] | None = None
    stride: int = field(default=0)
    photo: ImageSize | None = None
    fits: bool = True


def bind(step: str, params: dict[str, Any]) -> Any:
    """Parameters as the plan binds them."""
    module: Any = CATALOG.steps[step]
    parsed = module.Params.model_validate(params)
    return module.bind(parsed, {}) if hasattr(module, "bind") else parsed


def with_needs(steps: Sequence[str]) -> tuple[str, ...]:
    """Folders in the order in which their files may be included."""
    found: list[str] = []
    for step in steps:
        for name in (*with_needs(getattr(CATALOG.steps[step], "NEEDS", ())), step):
            if name not in found:
                found.append(name)
    return tuple(found)


def case(
    name: str, step: str, params: dict[str, Any], value: Any, *, start: ContractType | None = None, gap: int = 0
) -> Case:
    """One step. An image is 8-bit [h, w, c]; its type has a fixed size unless `start` says otherwise."""
    module: Any = CATALOG.steps[step]
    bound = bind(step, params)
    start = start or type_of(value)
    module.result_type(bound, start)
    try:
        expected = module.apply(bound, value)
    except ValueError:
        expected = REFUSED
    tolerance = getattr(module, "TOLERANCE", None)
    stride = gap_of(value, gap)
    call = module.call(bound, start)
    return Case(f"{step}/{name}", call, start, value, expected, with_needs((step,)), tolerance, stride)


def fused(name: str, chain: Sequence[tuple[str, dict[str, Any]]], value: Any, *, gap: int = 0) -> Case:
    """Several steps that the first one's `fuse` makes one call of; the reference applies them one after the other."""
    bound = [(step, bind(step, params)) for step, params in chain]
    first: Any = CATALOG.steps[bound[0][0]]
    start = type_of(value)
    made = first.fuse(bound[0][1], start, bound[1:])
    assert made is not None, name
    call, taken = made
    assert taken == len(chain) - 1, name
    expected = value
    for step, params in bound:
        expected = CATALOG.steps[step].apply(params, expected)
    steps = with_needs([step for step, _ in chain])
    return Case(f"{call.function}/{name}", call, start, value, expected, steps, None, gap_of(value, gap))


def type_of(value: Any) -> ContractType:
    """The contract's type of a value: uint8 of three axes is an image, several arrays are several tensors."""
    if isinstance(value, tuple):
        return TensorsType(tuple(TensorType(str(one.dtype), one.shape) for one in value))
    if isinstance(value, Candidates):
        return CandidatesType(value.scores.size, value.points.shape[1])
    if value.dtype == np.uint8 and value.ndim == 3:
        return typed(value, {1: "grey", 3: "rgb", 4: "rgba"}[value.shape[2]])
    return TensorType(str(value.dtype), value.shape)


def typed(value: Any, color: Any) -> ImageType:
    """The type of an image of a stated colour model."""
    return ImageType(value.shape[1], value.shape[0], color, value.shape[0] * value.shape[1])


def gap_of(value: Any, gap: int) -> int:
    """Row stride in bytes of an image with `gap` unused bytes after each row; 0 for a tensor."""
    if not isinstance(value, np.ndarray) or value.dtype != np.uint8 or value.ndim != 3:
        return 0
    return int(value.shape[1] * value.shape[2]) + gap


class Pictures:
    """Seeded images: noise, extremes (only 0 and 255), a ramp."""

    def __init__(self, seed: int = RNG_SEED) -> None:
        self.rng = np.random.default_rng(seed)

    def noise(self, w: int, h: int, c: int = 3) -> Any:
        """Uniform bytes."""
        return self.rng.integers(0, 256, (h, w, c), np.uint8)

    def extremes(self, w: int, h: int, c: int = 3) -> Any:
        """Only 0 and 255."""
        return (self.rng.integers(0, 2, (h, w, c)) * 255).astype(np.uint8)

    def ramp(self, w: int, h: int, c: int = 3) -> Any:
        """All 256 levels, in order."""
        return np.arange(w * h * c, dtype=np.uint32).astype(np.uint8).reshape(h, w, c)

    def floats(self, *shape: int, scale: float = 4.0) -> Any:
        """Normal float32."""
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)


def cases(group: str) -> list[Case]:
    """Cases of a group: `core` (what every project needs), `image` (the rest of the image steps), `detect` (boxes,
    places in the original image), `camera` (frames, OpenCV, shorter side), `signal` (sound, spectra), `series` (the
    micro frontend, windows, ends of files, results of plain numbers).
    """
    import camera_cases
    import image_cases
    import series_cases
    import signal_cases
    from core_cases import core
    from detect_cases import detect

    return {
        "core": core,
        "image": image_cases.image,
        "detect": detect,
        "camera": camera_cases.camera,
        "signal": signal_cases.signal,
        "series": series_cases.series,
    }[group]()
