"""The table of implemented MIL ops.

An op is a plain function whose keyword parameters carry the names of the MIL op's inputs. Tensors arrive as
numpy arrays: float16 and float32 as float32, integers and booleans in their own dtype, strings as `str`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Ints: TypeAlias = Array | Sequence[int]
Result: TypeAlias = Array | tuple[Array, ...]
_F = TypeVar("_F", bound=Callable[..., Result])


@dataclass(frozen=True)
class Op:
    """An implemented op: its function, and the parameters that it understands.

    `tensors` are the parameters that hold data; the others are settings, handed over as Python numbers, strings
    or tuples of them where they are constant. An op with `keeps_values` only picks among its inputs' values, so
    that a result of float16 needs no rounding.
    """

    function: Callable[..., Result]
    parameters: frozenset[str]
    required: frozenset[str]
    tensors: frozenset[str]
    keeps_values: bool


OPS: dict[str, Op] = {}
PREPARED: dict[str, Callable[..., Callable[[Array], Result]]] = {}
"""By op, what takes all of its parameters but `x` once and then maps each `x` to the result."""

_C = TypeVar("_C", bound=Callable[..., Callable[[Array], Result]])


def prepares(name: str) -> Callable[[_C], _C]:
    """Register a class for the case that only the parameter `x` of the op is not constant."""

    def register(made: _C) -> _C:
        PREPARED[name] = made
        return made

    return register


def op(*names: str, keeps_values: bool = False) -> Callable[[_F], _F]:
    """Register a function as the implementation of the MIL ops called `names`."""

    def register(function: _F) -> _F:
        parameters = inspect.signature(function).parameters
        required = frozenset(key for key, value in parameters.items() if value.default is value.empty)
        tensors = frozenset(key for key, value in parameters.items() if "Array" in str(value.annotation))
        for name in names:
            if name in OPS:
                raise ValueError(f"op {name!r} is registered twice")
            OPS[name] = Op(function, frozenset(parameters), required, tensors, keeps_values)
        return function

    return register


def ints(values: Ints | int) -> tuple[int, ...]:
    """A vector (or scalar) of any integer dtype as a tuple of Python integers."""
    if type(values) is tuple:
        return values
    return tuple(int(value) for value in np.atleast_1d(np.asarray(values)))
