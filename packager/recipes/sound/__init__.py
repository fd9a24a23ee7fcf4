"""Sound: the features of the micro frontend, 40 for each frame, as keyword models take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "frames of 40 features: float32 or int8 [1, frames, 40], [1, frames, 40, 1] or [1, 1960]"
SIDE: Literal["input", "output"] = "input"
ORDER = 5

FEATURES = 40
FEWEST, MOST = 10, 400
MICRO_SPEECH = 49 * FEATURES
WINDOW, STEPS, SECOND = 30, (20, 10), 1000
"""Milliseconds of a frame, between frames, and of the sound that keyword models listen to."""

LOUDEST = 26
"""Largest feature, about."""

SCALES: tuple[tuple[str, Mapping[str, float] | None], ...] = (
    ("-128..127", {"factor": 256 / LOUDEST, "offset": -128}),
    ("0..26", None),
    ("0..1", {"factor": 1 / LOUDEST}),
)
"""What the features, 0 to 26 as they are, are scaled to: first the range of int8, in which keyword models are trained
where their integer form is what is shipped (TensorFlow Lite Micro's micro_speech, Silicon Labs' MLTK)."""


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:
    """The features in every usual range."""
    frames = _frames(tensor)
    if frames is None:
        return ()
    name = known.names.get(tensor.name, "sound")
    accepts = {"audio": {"rate": 16000, "channels": 1, "max": "10 s"}}
    step = min(STEPS, key=lambda each: abs(WINDOW + (frames - 1) * each - SECOND))
    params = {"frames": frames, "window_step": step, "at": "last", "short": "pad"}
    front = Step("micro_frontend", params, f"{step} ms between frames, and TensorFlow's settings")
    shape = [size or 1 for size in tensor.shape]
    made = []
    for words, steps in _ranges(tensor):
        end = (Step("reshape", {"shape": shape}),) if len(shape) != 3 else ()
        scaled = tuple(each for each in steps if each.name == "scale")
        stored = tuple(each for each in steps if each.name == "quantize")
        summary = f"micro frontend every {step} ms, {words}"
        made.append(Proposal(name, (front, *scaled, *end, *stored), summary, accepts, "sound, or a picture"))
    return made


def _frames(tensor: TensorSpec) -> int | None:
    shape = tensor.shape
    if shape[:1] != (1,) or (tensor.dtype != "float32" and (tensor.dtype != "int8" or tensor.quantization is None)):
        return None
    if shape == (1, MICRO_SPEECH):
        return MICRO_SPEECH // FEATURES
    fits = len(shape) in (3, 4) and shape[2] == FEATURES and shape[3:] in ((), (1,))
    frames = shape[1] if fits else None
    return frames if frames is not None and FEWEST <= frames <= MOST else None


def _ranges(tensor: TensorSpec) -> Iterator[tuple[str, tuple[Step, ...]]]:
    """The usual ranges; for integers first the one that fills them."""
    held = tensor.quantization if tensor.dtype == "int8" else None
    stored: tuple[Step, ...] = ()
    ranges = SCALES
    if held is not None:
        stored = (Step("quantize", {"scale": held.scale, "zero_point": held.zero_point}),)
        span = 255 * held.scale
        ranges = tuple(sorted(SCALES, key=lambda each: abs(_span(each[1]) - span)))
    for words, params in ranges:
        yield words, ((Step("scale", params, f"range {words}"),) if params is not None else ()) + stored


def _span(params: Mapping[str, float] | None) -> float:
    return LOUDEST * (params["factor"] if params is not None else 1.0)
