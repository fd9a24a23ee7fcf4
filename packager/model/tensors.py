"""Tensors as a model file declares them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quantization:
    """Affine quantisation of a whole tensor: real = scale * (stored - zero_point)."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class TensorSpec:
    """Name, dtype (numpy's name) and shape of one model input or output; None is a free dimension."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    quantization: Quantization | None = None


@dataclass(frozen=True)
class Activation:
    """The operation that ends a model's output, where it is known: kind (`softmax`, ...) and node name."""

    kind: str
    node: str
