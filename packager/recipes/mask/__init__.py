"""Classes by pixel: a Mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from packager.model.recipes import Known, Proposal, Step
from packager.model.tensors import TensorSpec

SUMMARY = "a number, or one for each class, for each pixel: [1, h, w, n] or [1, n, h, w] of the picture's own size"
SIDE: Literal["input", "output"] = "output"
ORDER = 9

MOST_CLASSES = 256


def proposals(tensor: TensorSpec, known: Known) -> Sequence[Proposal]:  # noqa: ARG001 - the protocol's form
    """None for a tensor alone: what it is follows from the picture's size, see `together`."""
    return ()


def together(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], known: Known) -> Sequence[Proposal]:
    """A threshold where there is one channel, else the best class; one picture is the only input."""
    if len(inputs) != 1 or len(outputs) != 1 or {inputs[0].dtype, outputs[0].dtype} != {"float32"}:
        return ()
    place = _place(inputs[0].shape, outputs[0].shape)
    if place is None:
        return ()
    classes, layout = place
    params: dict[str, Any] = {"threshold": 0.5} if classes == 1 else {}
    params |= {"layout": "nchw"} if layout == "nchw" else {}
    if classes > 1 and len(known.labels) == classes:
        params |= known.naming
    name = known.names.get(outputs[0].name, "mask")
    step = Step("mask", params or None, "what is asked of each pixel")
    return (Proposal(name, (step,), "classes by pixel", tensors=(outputs[0].name,)),)


def _place(given: tuple[int | None, ...], made: tuple[int | None, ...]) -> tuple[int, str] | None:
    """Classes and layout; None where the output is no picture of the input's size."""
    if len(given) != 4 or len(made) != 4:
        return None
    size = given[1:3] if given[3] in (1, 3) else given[2:4]
    for classes, sides, layout in ((made[3], made[1:3], "nhwc"), (made[1], made[2:4], "nchw")):
        if sides == size and classes is not None and classes <= MOST_CLASSES:
            return classes, layout
    return None
