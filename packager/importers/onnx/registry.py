"""Which function builds which op: by name and the first opset version for which it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from packager.importers.onnx.coverage import BUILT

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Layout(Enum):
    """What a builder function takes.

    FIRST: tensors in ONNX axis order. ANY: tensors all in one order, either ONNX's or channels-last, and
    the result in the same order (`node.axis` maps an axis). AWARE: `Value`s, to choose itself.
    """

    FIRST = "first"
    ANY = "any"
    AWARE = "aware"


@dataclass(frozen=True)
class Op:
    """A builder function, from opset `since` on. `fold`: a node with only constant inputs is constant."""

    build: Callable[..., Any]
    since: int
    layout: Layout
    fold: bool


_OPS: dict[str, list[Op]] = {}


def op(*names: str, since: int = 1, layout: Layout = Layout.FIRST, fold: bool = True) -> Callable[[Handler], Handler]:
    """Register the decorated function as builder of the ops `names` from opset `since` on."""

    def register(build: Handler) -> Handler:
        for name in names:
            if name not in BUILT:
                raise ValueError(f"{name} is missing in coverage.BUILT")
            versions = _OPS.setdefault(name, [])
            versions.append(Op(build, since, layout, fold))
            versions.sort(key=lambda entry: -entry.since)
        return build

    return register


def find(name: str, opset: int) -> Op | None:
    """Return the newest builder of `name` that holds for `opset`, or None."""
    return next((entry for entry in _OPS.get(name, ()) if entry.since <= opset), None)


def built() -> frozenset[str]:
    """Return the names of all registered ops."""
    return frozenset(_OPS)
