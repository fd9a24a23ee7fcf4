"""Anchors of an SSD head as MediaPipe's SsdAnchorsCalculator makes them, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from packager.steps._values import Array

F32 = np.float32


@dataclass(frozen=True)
class Layer:
    """A grid of cells; each has one anchor for each size, (width, height) as fractions of the model's input."""

    columns: int
    rows: int
    sizes: tuple[tuple[float, float], ...]

    @property
    def count(self) -> int:
        """Anchors of the grid."""
        return self.columns * self.rows * len(self.sizes)


class Options(Protocol):
    """MediaPipe's own names; `num_layers` is the number of strides."""

    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def strides(self) -> tuple[int, ...]: ...
    @property
    def min_scale(self) -> float: ...
    @property
    def max_scale(self) -> float: ...
    @property
    def aspect_ratios(self) -> tuple[float, ...]: ...
    @property
    def interpolated_scale_aspect_ratio(self) -> float: ...
    @property
    def reduce_boxes_in_lowest_layer(self) -> bool: ...
    @property
    def fixed_anchor_size(self) -> bool: ...


def layers(options: Options) -> tuple[Layer, ...]:
    """The grids in order; neighbouring layers of one stride are one grid. All numbers are exact float32."""
    strides = options.strides
    found: list[Layer] = []
    start = 0
    while start < len(strides):
        end = start
        sizes: list[tuple[float, float]] = []
        while end < len(strides) and strides[end] == strides[start]:
            sizes += _sizes(options, end)
            end += 1
        columns, rows = -(-options.width // strides[start]), -(-options.height // strides[start])
        found.append(Layer(columns, rows, tuple(sizes)))
        start = end
    return tuple(found)


def _sizes(options: Options, layer: int) -> Iterator[tuple[float, float]]:
    """Width and height of each anchor of a layer: scale * sqrt(ratio), scale / sqrt(ratio)."""
    for scale, ratio in _scales(options, layer):
        root = np.sqrt(F32(ratio))
        yield (1.0, 1.0) if options.fixed_anchor_size else (float(scale * root), float(scale / root))


def _scales(options: Options, layer: int) -> Sequence[tuple[np.float32, float]]:
    scale = _scale(options, layer)
    if layer == 0 and options.reduce_boxes_in_lowest_layer:
        return [(F32(0.1), 1.0), (scale, 2.0), (scale, 0.5)]
    found = [(scale, ratio) for ratio in options.aspect_ratios]
    if options.interpolated_scale_aspect_ratio > 0:
        following = F32(1) if layer == len(options.strides) - 1 else _scale(options, layer + 1)
        found.append((np.sqrt(scale * following), options.interpolated_scale_aspect_ratio))
    return found


def _scale(options: Options, layer: int) -> np.float32:
    """Between the smallest and the largest: differences in float32, the rest in float64, rounded once, as in C++."""
    least, most = F32(options.min_scale), F32(options.max_scale)
    if len(options.strides) == 1:
        return F32((least + most) * F32(0.5))
    return F32(float(least) + float(most - least) * layer / (len(options.strides) - 1))


def grid(found: Sequence[Layer], offset_x: float, offset_y: float) -> Array:
    """float32 [n, 4]: x and y of the centre, width, height; rows, then columns, then sizes.

    A centre is (index + offset) / cells in float32.
    """
    parts = []
    for layer in found:
        x = (np.arange(layer.columns, dtype=F32) + F32(offset_x)) / F32(layer.columns)
        y = (np.arange(layer.rows, dtype=F32) + F32(offset_y)) / F32(layer.rows)
        part = np.empty((layer.rows, layer.columns, len(layer.sizes), 4), F32)
        part[..., 0], part[..., 1] = x[None, :, None], y[:, None, None]
        part[..., 2:] = np.array(layer.sizes, F32)
        parts.append(part.reshape(-1, 4))
    return np.concatenate(parts)
