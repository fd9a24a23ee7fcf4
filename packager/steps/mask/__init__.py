"""A score for each class and cell of a grid to a class for each pixel of the original image."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from packager.core.constants import Constant, Float32
from packager.model.address import Address
from packager.model.contract import (
    Call,
    ContractType,
    Geometry,
    ImageSize,
    ImageType,
    Mask,
    ResultType,
    StepMismatchError,
    StepParams,
    TensorType,
)
from packager.steps._mapping import NOT_PLACED, mapping, need_size
from packager.steps._values import Array, aligned, largest_frontier, need_tensor
from packager.steps.labels import Names, read_labels

SUMMARY = "best class, or a threshold, for each cell; then the nearest cell for each pixel of the original image: Mask"
MAPS = True


class Params(StepParams):
    """Which class a cell has. Without `threshold` it is the best channel, equal ones by lower index."""

    threshold: Annotated[float, Field(allow_inf_nan=False)] | None = Field(
        default=None, description="A cell is of class 1 where `channel` is at least this, else of class 0."
    )
    channel: Annotated[int, Field(ge=0, le=65535)] = Field(default=0, description="The channel of `threshold`.")
    layout: Literal["nhwc", "nchw"] = Field(default="nhwc", description="Order of the model's dimensions.")
    file: Address | None = Field(default=None, description="Labels of the classes: UTF-8, one in a line.")
    names: Names | None = Field(default=None, description="The labels themselves, in place of a file.")
    input: str | None = Field(
        default=None, description="The image that places are mapped back to; may be left out where there is one."
    )

    @model_validator(mode="after")
    def _one_source(self) -> Params:
        if self.file is not None and self.names is not None:
            raise ValueError("give `file` or `names`, not both")
        return self

    def files(self) -> Mapping_[str, Address]:
        """The label file, if there is one."""
        return {} if self.file is None else {"file": self.file}


@dataclass(frozen=True)
class BoundMask:
    """Labels by class, how a cell's class is found, and the way back to the original image."""

    names: tuple[str, ...]
    threshold: float | None
    channel: int
    layout: str
    input: str | None = None
    geometry: Geometry = NOT_PLACED


def bind(params: Params, files: Mapping_[str, Path]) -> BoundMask:
    """Reads the label file. `StepMismatchError` for wrong content."""
    names = read_labels(files["file"]) if params.file is not None else params.names or ()
    if any("\0" in name for name in names):
        raise StepMismatchError("a label holds a NUL", "plain text")
    return BoundMask(names, params.threshold, params.channel, params.layout, params.input)


def class_names(bound: BoundMask) -> tuple[str, ...]:
    """All labels by class index, for the model file's own metadata."""
    return bound.names


def placed(bound: BoundMask, geometry: Geometry) -> BoundMask:
    """With the way back to the original image."""
    return replace(bound, geometry=geometry)


def result_type(bound: BoundMask, value: ContractType) -> ContractType:
    """float32 [1, height, width, classes] (or [1, classes, height, width]) -> Mask."""
    _, _, channels = _grid(bound, need_tensor("mask", value))
    need_size("mask", bound.geometry)
    classes = channels if bound.threshold is None else 2
    if classes > 256:
        raise StepMismatchError(f"{classes} classes", "at most 256")
    if bound.threshold is None and channels < 2:
        raise StepMismatchError("the best of one channel is always that one", "`threshold:`")
    if bound.threshold is not None and bound.channel >= channels:
        raise StepMismatchError(f"there is no channel {bound.channel} of {channels}", "a channel of the model")
    if bound.names and len(bound.names) != classes:
        raise StepMismatchError(f"there are {len(bound.names)} labels for {classes} classes", f"{classes} labels")
    return ResultType("Mask")


def _grid(bound: BoundMask, tensor: TensorType) -> tuple[int, int, int]:
    """Height, width and channels of the model's grid."""
    shape = tensor.shape
    if len(shape) == 3 and shape[0] == 1:
        return shape[1], shape[2], 1
    if len(shape) != 4 or shape[0] != 1 or tensor.size == 0:
        raise StepMismatchError(f"`mask` works on a grid, but the value before it is {tensor}", "[1, h, w, classes]")
    return (shape[1], shape[2], shape[3]) if bound.layout == "nhwc" else (shape[2], shape[3], shape[1])


def apply(bound: BoundMask, value: Array, photo: ImageSize) -> Mask:
    """A class for each cell, then for each pixel of the original the cell that its centre falls in (`cells`).

    What lies outside of the model's input (cut off by a crop) is of class 0. Raises ValueError for a number that is
    not finite.
    """
    if not np.isfinite(value).all():
        raise ValueError("a score is not finite")
    height, width, channels = _grid(bound, TensorType("float32", value.shape))
    planes = value.reshape(channels, -1).T if bound.layout == "nchw" else value.reshape(-1, channels)
    above = planes[:, bound.channel] >= np.float32(bound.threshold or 0)
    best = planes.argmax(axis=1) if bound.threshold is None else above
    grid = best.astype(np.uint8).reshape(height, width)
    way = mapping(bound.geometry, photo)
    sides = (
        (bound.geometry.height, bound.geometry.width) if way.turned else (bound.geometry.width, bound.geometry.height)
    )
    counts = (height, width) if way.turned else (width, height)
    column = cells(photo.width, way.scale_x, way.offset_x, sides[0], counts[0])
    row = cells(photo.height, way.scale_y, way.offset_y, sides[1], counts[1])
    turned = grid.T if way.turned else grid
    picked = turned[np.maximum(row, 0)[:, None], np.maximum(column, 0)[None, :]]
    inside = (row >= 0)[:, None] & (column >= 0)[None, :]
    return Mask(photo.width, photo.height, np.where(inside, picked, 0).astype(np.uint8).tobytes(), bound.names)


def cells(pixels: int, scale: float, offset: float, side: int, count: int) -> Array:
    """int64 [pixels]: the cell of each original pixel along one axis, -1 outside; all in float64.

    u = ((pixel + 0.5) - offset) / scale is a place in the model's input; floor(u * count / side) is its cell.
    """
    u = ((np.arange(pixels, dtype=np.float64) + 0.5) - offset) / scale
    cell = np.minimum(np.floor(u * count / side), count - 1)
    result: Array = np.where((u >= 0) & (u < side), cell, -1).astype(np.int64)
    return result


def call(bound: BoundMask, value: ContractType) -> Call:
    """`place_mask_best(names, grid_width, grid_height, channels, planar, width, height, geometry)`: scores -> Mask.

    `place_mask_above(names, grid_width, grid_height, channels, planar, channel, threshold, width, height, geometry)`.
    """
    height, width, channels = _grid(bound, need_tensor("mask", value))
    arguments: tuple[tuple[str, Constant], ...] = (
        ("names", bound.names),
        ("grid_width", width),
        ("grid_height", height),
        ("channels", channels),
        ("planar", bound.layout == "nchw"),
    )
    place: tuple[tuple[str, Constant], ...] = (
        ("width", bound.geometry.width),
        ("height", bound.geometry.height),
        ("geometry", bound.geometry.numbers()),
    )
    workspace = _workspace(bound.geometry, width * height)
    if bound.threshold is None:
        return Call("place_mask_best", (*arguments, *place), ResultType("Mask"), workspace, photo=True)
    threshold = Float32(float(np.float32(bound.threshold)))
    arguments = (*arguments, ("channel", bound.channel), ("threshold", threshold), *place)
    return Call("place_mask_above", arguments, ResultType("Mask"), workspace, photo=True)


def _workspace(geometry: Geometry, cells_: int) -> int:
    """The grid, the mask of the largest image, and a cell for each of its columns."""
    w, h = largest_frontier(ImageType(None, None, "rgb", geometry.max_pixels))
    return aligned(cells_) + aligned(int(np.max(w * h))) + aligned(4 * int(w.max()))
