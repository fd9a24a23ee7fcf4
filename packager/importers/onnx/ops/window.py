"""Geometry that convolutions and pools share: strides, pads, output sizes."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.values import Tensor, Value


@dataclass(frozen=True)
class Window:
    """A sliding window over the spatial axes; pads are (before, after) per axis, None sizes are free."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]
    sizes: tuple[int | None, ...]

    @property
    def extent(self) -> tuple[int, ...]:
        """Size of the window with its gaps."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    @property
    def padded(self) -> bool:
        """Whether any pad is not 0."""
        return any(map(any, self.pads))

    def same(self) -> bool:
        """Return whether the pads are those of TensorFlow's SAME."""
        return all(
            size is not None and pair == same_pads(size, extent, stride, upper=True)
            for size, extent, stride, pair in zip(self.sizes, self.extent, self.strides, self.pads, strict=True)
        ) or (
            # With stride 1 SAME does not depend on the size.
            all(stride == 1 for stride in self.strides)
            and all(p == ((e - 1) // 2, e // 2) for p, e in zip(self.pads, self.extent, strict=True))
        )

    def outputs(self) -> tuple[int, ...]:
        """Return the number of places of the window per axis; sizes must be fixed."""
        return tuple(
            ((size or 0) + sum(pair) - extent) // stride + 1
            for size, extent, stride, pair in zip(self.sizes, self.extent, self.strides, self.pads, strict=True)
        )


def same_pads(size: int, extent: int, stride: int, *, upper: bool) -> tuple[int, int]:
    """Return the pads of SAME: output size is ceil(size / stride), the odd pixel goes after (upper)."""
    total = max((-(-size // stride) - 1) * stride + extent - size, 0)
    small = total // 2
    return (small, total - small) if upper else (total - small, small)


def window(node: Node, x: Value, kernel: tuple[int, ...]) -> Window:
    """Read strides, dilations, pads, auto_pad and ceil_mode of a convolution or pool over `x`."""
    rank = len(kernel)
    if x.rank != rank + 2 or rank > 3:
        node.refuse(f"{rank} spatial axes over a tensor of {x.rank} axes")
    strides = tuple(node.attr("strides", [1] * rank))
    dilations = tuple(node.attr("dilations", [1] * rank))
    sizes = x.shape[2:]
    flat = node.attr("pads", [0] * 2 * rank)
    pads = [(flat[axis], flat[axis + rank]) for axis in range(rank)]
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    auto = node.attr("auto_pad", "NOTSET")
    if auto.startswith("SAME"):
        fixed = node.sizes(x, range(2, x.rank))
        pads = [
            same_pads(size, e, s, upper=auto == "SAME_UPPER") for size, e, s in zip(fixed, extent, strides, strict=True)
        ]
    elif auto == "VALID":
        pads = [(0, 0)] * rank
    elif node.attr("ceil_mode", 0):
        fixed = node.sizes(x, range(2, x.rank))
        pads = [_ceil(*one) for one in zip(fixed, extent, strides, pads, strict=True)]
    return Window(kernel, strides, dilations, tuple(pads), sizes)


def _ceil(size: int, extent: int, stride: int, pair: tuple[int, int]) -> tuple[int, int]:
    """Widen the pad after, so that the last window may hang over; it must start before the pad after."""
    before, after = pair
    count = -(-(size + before + after - extent) // stride) + 1
    if (count - 1) * stride >= size + before:
        count -= 1
    needed = (count - 1) * stride + extent - size - before
    return before, max(needed, after)


def pad_spatial(x: Tensor, win: Window, value: float = 0.0) -> Tensor:
    """Pad a channels-last tensor as the window says."""
    if not win.padded:
        return x
    amounts = [(0, 0), *win.pads, (0, 0)]
    return tf.pad(x, amounts) if value == 0 else tf.pad(x, amounts, constant_values=tf.constant(value, x.dtype))
