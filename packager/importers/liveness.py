"""How much of a graph's values is alive at once, from shapes alone. Light: reads no weights and runs nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One operation in the order of execution: tensors that it takes and gives.

    `in_place`: its result may lie where its first operand lay, if nothing needs that any more (elementwise ops, views).
    `inner` are elements that are alive only inside it, for an operation that stands for a whole network.
    """

    name: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    in_place: bool = False
    inner: int = 0


@dataclass(frozen=True)
class Peak:
    """The most elements alive at once, at which operation, and how many tensors have no known size.

    With `unknown` above 0 the figure is too small by those tensors.
    """

    elements: int
    at: str
    unknown: int


def peak(
    operations: Iterable[Operation], sizes: Mapping[str, int | None], given: Collection[str], kept: Collection[str]
) -> Peak:
    """Walk the operations in order: a tensor lives from the operation that makes it to the last one that takes it.

    `sizes` are elements by tensor; weights are left out of `sizes` and count nothing. `given` are the inputs, `kept`
    the outputs. Runtimes that plan memory so need a little more, for alignment and fragmentation.
    """
    steps = list(operations)
    last = {name: index for index, step in enumerate(steps) for name in step.inputs}
    last |= dict.fromkeys(kept, len(steps))
    made = {name for step in steps for name in step.outputs} | set(given)
    unknown = sum(1 for name in made if name in last and sizes.get(name) is None and name in sizes)
    alive: dict[str, int] = {name: sizes.get(name) or 0 for name in given}
    best, at = sum(alive.values()), ""
    for index, step in enumerate(steps):
        results = {name: sizes.get(name) or 0 for name in step.outputs}
        reused = 0
        if step.in_place and step.inputs and last.get(step.inputs[0]) == index:
            reused = min(alive.get(step.inputs[0], 0), sum(results.values()))
        total = sum(alive.values()) + sum(results.values()) - reused + step.inner
        if total > best:
            best, at = total, step.name
        alive |= results
        alive = {name: size for name, size in alive.items() if last.get(name, -1) > index}
    return Peak(best, at, unknown)


def facts(found: Peak) -> dict[str, int | str]:
    """As the facts of a source: what a plan estimates peak memory from."""
    return {"live_elements": found.elements, "live_at": found.at, "live_unknown": found.unknown}


def elements(shape: Sequence[int | None] | None) -> int | None:
    """Elements of a shape whose free first axis (the batch) is 1; None where another axis is free."""
    if shape is None:
        return None
    total = 1
    for axis, size in enumerate(shape):
        if size is None and axis > 0:
            return None
        total *= 1 if size is None else size
    return total
