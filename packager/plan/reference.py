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


def run_output(catalog: Catalog, chain: Chain, outputs: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """An output's result from the model's raw outputs by tensor name and the app's values by input name."""
    tensors = tuple(outputs[name] for name in chain.tensors)
    photo = size_of(given[chain.photo]) if chain.photo else None
    return run_chain(catalog, chain, tensors if chain.rest else tensors[0], photo)


def size_of(value: Any) -> ImageSize:
    """Size of an image (uint8 H x W x C) or of a camera frame."""
    rows = value.y if isinstance(value, Frame) else value
    return ImageSize(int(rows.shape[1]), int(rows.shape[0]))
