"""What an input's steps do to the place of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from packager.model.contract import Chain, FrameType, Geometry, ImageType, Move, TensorType
from packager.registry import Catalog


def geometry_of(catalog: Catalog, chain: Chain) -> Geometry:
    """The moves of all steps of an image's or a frame's chain, in order, and where they end."""
    moves: list[Move] = []
    for use, value in zip(chain.steps, chain.types, strict=False):
        module: Any = catalog.steps[use.step]
        own = getattr(module, "geometry", None)
        moves += own(use.bound, value) if own is not None else ()
    width, height = _model_size(chain, moves)
    start = chain.start
    largest = start.max_pixels if isinstance(start, ImageType | FrameType) else None
    return Geometry(chain.name, tuple(moves), width, height, largest or width * height)


def _model_size(chain: Chain, moves: Sequence[Move]) -> tuple[int, int]:
    if moves and moves[-1].kind not in ("orient", "crop_ratio"):
        return moves[-1].a, moves[-1].b
    for value in reversed(chain.types):
        if isinstance(value, ImageType) and value.width is not None and value.height is not None:
            return value.width, value.height
        if isinstance(value, TensorType) and len(value.shape) == 4 and value.shape[3] in (1, 3):
            return value.shape[2], value.shape[1]
    return 0, 0
