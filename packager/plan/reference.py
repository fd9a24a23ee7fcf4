"""The reference: a chain's numpy steps applied to one value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from packager.model.contract import Chain, StepMismatchError, StepUse
from packager.registry import Catalog


class StepFailedError(Exception):
    """A reference step could not take a value; names the step."""

    def __init__(self, step: str, fault: Exception) -> None:
        super().__init__(f"step `{step}`: {fault}")
        self.step, self.fault = step, fault


def run_steps(catalog: Catalog, steps: Sequence[StepUse], value: Any) -> Any:
    """Apply steps in order; `value` is uint8 H x W x C for an image, an array in the tensor's shape otherwise."""
    for use in steps:
        try:
            value = catalog.steps[use.step].apply(use.bound, value)
        except (StepMismatchError, ValueError) as fault:
            raise StepFailedError(use.step, fault) from fault
    return value


def run_chain(catalog: Catalog, chain: Chain, value: Any) -> Any:
    """The whole chain of one input or output."""
    return run_steps(catalog, chain.steps, value)
