"""Tensors with a lazy layout: ONNX order (N, C, ...), channels-last (N, ..., C), or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import tensorflow as tf

Tensor: TypeAlias = Any
Array: TypeAlias = npt.NDArray[Any]
Shape: TypeAlias = tuple[int | None, ...]


def static_shape(tensor: Tensor) -> Shape:
    """Return the shape of a tensor or array; None where a dimension is free."""
    return tuple(None if size is None else int(size) for size in tensor.shape)


def to_last(rank: int) -> list[int]:
    """Return the permutation from (N, C, ...) to (N, ..., C)."""
    return [0, *range(2, rank), 1]


def to_first(rank: int) -> list[int]:
    """Return the permutation from (N, ..., C) to (N, C, ...)."""
    return [0, rank - 1, *range(1, rank - 1)]


def permute(tensor: Tensor, perm: Sequence[int]) -> Tensor:
    """Transpose; a reshape where only axes of size 1 change their place."""
    shape = static_shape(tensor)
    moved = [axis for axis in perm if shape[axis] != 1]
    if list(perm) == sorted(perm):
        return tensor
    if moved == sorted(moved) and shape.count(None) <= 1:
        return tf.reshape(tensor, [-1 if shape[axis] is None else shape[axis] for axis in perm])
    return tf.transpose(tensor, perm)


class Value:
    """A tensor of the model that is only known when the function runs. `shape` is in ONNX order."""

    def __init__(self, first: Tensor = None, last: Tensor = None) -> None:
        self._first, self._last = first, last
        # The rounded floats behind a tensor of QuantizeLinear.
        self.levels: Value | None = None
        # The elements of a tensor computed from shapes, None where a free size decides.
        self.known: Array | None = None
        if first is not None:
            self.shape = static_shape(first)
        else:
            stored = static_shape(last)
            self.shape = tuple(stored[axis] for axis in to_first(len(stored)))

    @property
    def rank(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def dtype(self) -> Any:
        """TensorFlow dtype."""
        return (self._last if self._first is None else self._first).dtype

    @property
    def size(self) -> int:
        """Number of elements; free dimensions count as one."""
        return int(np.prod([size or 1 for size in self.shape]))

    @property
    def only_last(self) -> bool:
        """Whether the tensor is stored channels-last and not (yet) in ONNX order."""
        return self._first is None

    @property
    def has_first(self) -> bool:
        """Whether ONNX order costs nothing."""
        return self._first is not None or self._free(to_first(self.rank), last=True)

    @property
    def has_last(self) -> bool:
        """Whether channels-last order costs nothing."""
        return self._last is not None or (self.rank > 2 and self._free(to_last(self.rank), last=False))

    def _free(self, perm: list[int], *, last: bool) -> bool:
        shape = static_shape(self._last if last else self._first)
        moved = [axis for axis in perm if shape[axis] != 1]
        return moved == sorted(moved)

    def first(self) -> Tensor:
        """Return the tensor in ONNX order."""
        if self._first is None:
            self._first = permute(self._last, to_first(self.rank))
        return self._first

    def last(self) -> Tensor:
        """Return the tensor channels-last."""
        if self._last is None:
            self._last = permute(self._first, to_last(self.rank))
        return self._last


Operand: TypeAlias = Value | Array | None


def choose_last(operands: Sequence[Operand]) -> bool:
    """Return whether an op on these operands costs less transposing channels-last than in ONNX order."""
    values = [operand for operand in operands if isinstance(operand, Value)]
    rank = max((len(operand.shape) for operand in operands if operand is not None), default=0)
    if rank < 3 or not any(value.only_last for value in values if value.rank == rank):
        return False
    if any(value.rank != rank and any(size != 1 for size in value.shape) for value in values):
        return False
    full = [value for value in values if value.rank == rank]
    return sum(v.size for v in full if not v.has_last) <= sum(v.size for v in full if not v.has_first)


def arrange(operand: Operand, rank: int, *, last: bool) -> Any:
    """Return an operand as a tensor or array in the chosen order, for broadcasting to `rank` axes."""
    if operand is None:
        return None
    if isinstance(operand, Value):
        if not last:
            return operand.first()
        return operand.last() if operand.rank == rank else tf.reshape(operand.first(), [1] * rank)
    if not last or operand.ndim == 0:
        return operand
    full = operand.reshape((1,) * (rank - operand.ndim) + operand.shape)
    return np.ascontiguousarray(full.transpose(to_last(rank)))
