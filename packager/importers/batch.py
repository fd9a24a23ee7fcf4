"""The batch: the first dimension of a model's inputs, fixed at 1, or free where the manifest says so. Light."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packager.core.errors import ModelError

Shapes = Mapping[str, Sequence[int | None]]

MOST = 64
"""Largest batch of a format that asks for a bound (Core ML)."""
NAME = "batch"
"""Name of a free batch where a format names its free dimensions (ONNX)."""


def wanted_free(name: str, shapes: Shapes) -> bool:
    """Whether the manifest leaves the batch of an input free."""
    return name in shapes and len(shapes[name]) > 0 and shapes[name][0] is None


def refuse_fixed(file: str, name: str, declared: Sequence[int | None] | None, shapes: Shapes) -> None:
    """Raise ModelError where the manifest wants a free batch and the file itself fixes it."""
    if wanted_free(name, shapes) and declared and declared[0] is not None:
        raise ModelError(
            f"{file} fixes the batch of input {name!r} at {declared[0]}, which `null` under `shapes:` wants free",
            expected="a model whose first dimension is open",
            hint=f"export the model with an open batch, or give {declared[0]} instead of `null`",
        )


def with_one(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape with a free batch as 1."""
    return tuple(1 if index == 0 and size is None else size for index, size in enumerate(shape))
