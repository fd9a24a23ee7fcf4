"""The reference: a chain's numpy steps applied to one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from packager.model.contract import Chain, Frame, ImageSize, StepMismatchError, StepUse
from packager.registry import Catalog


class StepFailedError(Exception):
    """A reference step could not take a value; names the step."""

    def __init__(self, step: str, fault: Exception) -> None:
        super().__init__(f"step `{step}`: {fault}")
        self.step, self.fault = step, fault


def run_steps(catalog: Catalog, steps: Sequence[StepUse], value: Any, photo: ImageSize | None = None) -> Any:
    """Apply steps in order.

    `value` is what `packager.model.contract` says of its type: uint8 H x W x C for an image, an array in the tensor's
    shape, a tuple of such arrays for several tensors. `photo` is the size of the original image for steps that map
    places back to it.
    """
    for use in steps:
        module: Any = catalog.steps[use.step]
        more = (photo,) if getattr(module, "MAPS", False) else ()
        try:
            value = module.apply(use.bound, value, *more)
        except (StepMismatchError, ValueError) as fault:
            raise StepFailedError(use.step, fault) from fault
    return value


def run_chain(catalog: Catalog, chain: Chain, value: Any, photo: ImageSize | None = None) -> Any:
    """The whole chain of one input, or of an output whose tensors are given as its first step takes them."""
    return run_steps(catalog, chain.steps, value, photo)


def run_output(
    catalog: Catalog, chain: Chain, outputs: Mapping[str, Any], inputs: Mapping[str, Any], given: Mapping[str, Any]
) -> Any:
    """An output's result.

    `outputs` and `inputs` are the model's, in its own units, by tensor name; `given` is what the app handed over by
    input name, for places that are mapped back to an image.
    """
    photo = size_of(given[chain.photo]) if chain.photo else None
    return run_chain(catalog, chain, taken(chain, outputs, inputs), photo)


def taken(chain: Chain, outputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
    """What the first step of an output takes: its tensor, or a tuple of all of them."""
    pairs = zip(chain.tensors, chain.givers, strict=True)
    tensors = tuple(inputs[name] if giver else outputs[name] for name, giver in pairs)
    return tensors if chain.rest else tensors[0]


def size_of(value: Any) -> ImageSize:
    """Size of an image (uint8 H x W x C), or of a camera frame as its own rotation makes it stand."""
    rows = value.y if isinstance(value, Frame) else value
    height, width = (int(side) for side in rows.shape[:2])
    turned = isinstance(value, Frame) and value.rotation % 180 == 90
    return ImageSize(height, width) if turned else ImageSize(width, height)
