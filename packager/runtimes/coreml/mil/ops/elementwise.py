"""Elementwise arithmetic, comparison and logic, with numpy's broadcasting rules, which are MIL's."""

from __future__ import annotations

import numpy as np
from scipy.special import erf as _erf

from packager.runtimes.coreml.mil.registry import Array, op

_CASTS = {
    "fp16": np.float32,  # float16 is held as float32 and rounded, if at all, by the plan
    "fp32": np.float32,
    "int8": np.int8,
    "uint8": np.uint8,
    "int16": np.int16,
    "uint16": np.uint16,
    "int32": np.int32,
    "uint32": np.uint32,
    "bool": np.bool_,
}


@op("add")
def add(x: Array, y: Array) -> Array:
    """x, y number[*] -> x + y. MIL iOS15 `add`."""
    return np.add(x, y)


@op("sub")
def sub(x: Array, y: Array) -> Array:
    """x, y number[*] -> x - y. MIL iOS15 `sub`."""
    return np.subtract(x, y)


@op("mul")
def mul(x: Array, y: Array) -> Array:
    """x, y number[*] -> x * y. MIL iOS15 `mul`."""
    return np.multiply(x, y)


@op("real_div")
def real_div(x: Array, y: Array) -> Array:
    """x, y number[*] -> x / y in the inputs' dtype (integers: towards zero). MIL iOS15 `real_div`."""
    quotient = np.true_divide(x, y)
    return quotient if _is_float(x) else np.trunc(quotient).astype(np.asarray(x).dtype)


@op("floor_div")
def floor_div(x: Array, y: Array) -> Array:
    """x, y number[*] -> the largest integer <= x / y, in the inputs' dtype. MIL iOS15 `floor_div`."""
    return np.floor(np.true_divide(x, y)) if _is_float(x) else np.floor_divide(x, y)


@op("mod")
def mod(x: Array, y: Array) -> Array:
    """x, y number[*] -> remainder with the sign of y. MIL iOS15 `mod`."""
    return np.mod(x, y)


@op("pow")
def power(x: Array, y: Array) -> Array:
    """x, y number[*] -> x ** y. MIL iOS15 `pow`."""
    return np.power(x, y)


@op("maximum", keeps_values=True)
def maximum(x: Array, y: Array) -> Array:
    """x, y number[*] -> the larger. MIL iOS15 `maximum`."""
    return np.maximum(x, y)


@op("minimum", keeps_values=True)
def minimum(x: Array, y: Array) -> Array:
    """x, y number[*] -> the smaller. MIL iOS15 `minimum`."""
    return np.minimum(x, y)


@op("equal")
def equal(x: Array, y: Array) -> Array:
    """x, y [*] -> bool[*], x == y. MIL iOS15 `equal`."""
    return np.equal(x, y)


@op("not_equal")
def not_equal(x: Array, y: Array) -> Array:
    """x, y [*] -> bool[*], x != y. MIL iOS15 `not_equal`."""
    return np.not_equal(x, y)


@op("greater")
def greater(x: Array, y: Array) -> Array:
    """x, y [*] -> bool[*], x > y. MIL iOS15 `greater`."""
    return np.greater(x, y)


@op("greater_equal")
def greater_equal(x: Array, y: Array) -> Array:
    """x, y [*] -> bool[*], x >= y. MIL iOS15 `greater_equal`."""
    return np.greater_equal(x, y)


@op("less")
def less(x: Array, y: Array) -> Array:
    """x, y [*] -> bool[*], x < y. MIL iOS15 `less`."""
    return np.less(x, y)


@op("less_equal")
def less_equal(x: Array, y: Array) -> Array:
    """x, y [*] -> bool[*], x <= y. MIL iOS15 `less_equal`."""
    return np.less_equal(x, y)


@op("logical_and")
def logical_and(x: Array, y: Array) -> Array:
    """x, y bool[*] -> bool[*]. MIL iOS15 `logical_and`."""
    return np.logical_and(x, y)


@op("logical_or")
def logical_or(x: Array, y: Array) -> Array:
    """x, y bool[*] -> bool[*]. MIL iOS15 `logical_or`."""
    return np.logical_or(x, y)


@op("logical_xor")
def logical_xor(x: Array, y: Array) -> Array:
    """x, y bool[*] -> bool[*]. MIL iOS15 `logical_xor`."""
    return np.logical_xor(x, y)


@op("logical_not")
def logical_not(x: Array) -> Array:
    """x bool[*] -> bool[*]. MIL iOS15 `logical_not`."""
    return np.logical_not(x)


@op("cast")
def cast(x: Array, dtype: str) -> Array:
    """x [*] -> the same values in `dtype`, fractions cut towards zero. MIL iOS15 `cast`."""
    if dtype not in _CASTS:
        raise ValueError(f"unknown dtype {dtype!r}")
    return np.asarray(x).astype(_CASTS[dtype])


@op("select", keeps_values=True)
def select(cond: Array, a: Array, b: Array) -> Array:
    """cond bool[*], a and b [*] -> a where cond, else b. MIL iOS15 `select`."""
    return np.where(cond, a, b)


@op("clip")
def clip(x: Array, alpha: float, beta: float) -> Array:
    """x f[*] -> min(max(x, alpha), beta). MIL iOS15 `clip`."""
    return np.minimum(np.maximum(x, alpha), beta)


@op("threshold")
def threshold(x: Array, alpha: float) -> Array:
    """x number[*] -> max(x, alpha). MIL iOS15 `threshold`."""
    return np.maximum(x, alpha)


@op("log")
def log(x: Array, epsilon: float = 1e-45) -> Array:
    """x f[*] -> log(x + epsilon). MIL iOS15 `log`."""
    return np.log(x + np.float32(epsilon))


@op("rsqrt")
def rsqrt(x: Array, epsilon: float = 1e-12) -> Array:
    """x f[*] -> 1 / sqrt(x + epsilon). MIL iOS15 `rsqrt`."""
    return 1 / np.sqrt(x + np.float32(epsilon))


@op("inverse")
def inverse(x: Array, epsilon: float = 1e-4) -> Array:
    """x f[*] -> 1 / (x + epsilon). MIL iOS15 `inverse`."""
    return 1 / (x + np.float32(epsilon))


@op("identity", keeps_values=True)
def identity(x: Array) -> Array:
    """x [*] -> x. MIL iOS15 `identity`."""
    return x


@op("abs", keeps_values=True)
def absolute(x: Array) -> Array:
    """x number[*] -> |x|. MIL iOS15 `abs`."""
    return np.abs(x)


@op("sign")
def sign(x: Array) -> Array:
    """x number[*] -> -1, 0 or 1. MIL iOS15 `sign`."""
    return np.sign(x)


@op("square")
def square(x: Array) -> Array:
    """x number[*] -> x * x. MIL iOS15 `square`."""
    return np.square(x)


@op("sqrt")
def sqrt(x: Array) -> Array:
    """x f[*] -> root of x. MIL iOS15 `sqrt`."""
    return np.sqrt(x)


@op("exp")
def exp(x: Array) -> Array:
    """x f[*] -> e ** x. MIL iOS15 `exp`."""
    return np.exp(x)


@op("exp2")
def exp2(x: Array) -> Array:
    """x number[*] -> 2 ** x in x's dtype. MIL iOS15 `exp2`."""
    return np.exp2(x) if _is_float(x) else np.power(np.asarray(2, np.asarray(x).dtype), x)


@op("erf")
def erf(x: Array) -> Array:
    """x f[*] -> error function. MIL iOS15 `erf`."""
    return np.asarray(_erf(x))


@op("floor")
def floor(x: Array) -> Array:
    """x f[*] -> largest integer <= x, as float. MIL iOS15 `floor`."""
    return np.floor(x)


@op("ceil")
def ceil(x: Array) -> Array:
    """x f[*] -> smallest integer >= x, as float. MIL iOS15 `ceil`."""
    return np.ceil(x)


@op("round")
def round_half_even(x: Array) -> Array:
    """x f[*] -> nearest integer, halves to the even one, as float. MIL iOS15 `round`."""
    return np.rint(x)


@op("sin")
def sin(x: Array) -> Array:
    """x f[*], radians -> sine. MIL iOS15 `sin`."""
    return np.sin(x)


@op("cos")
def cos(x: Array) -> Array:
    """x f[*], radians -> cosine. MIL iOS15 `cos`."""
    return np.cos(x)


@op("tan")
def tan(x: Array) -> Array:
    """x f[*], radians -> tangent. MIL iOS15 `tan`."""
    return np.tan(x)


@op("asin")
def asin(x: Array) -> Array:
    """x f[*] in [-1, 1] -> radians. MIL iOS15 `asin`."""
    return np.arcsin(x)


@op("acos")
def acos(x: Array) -> Array:
    """x f[*] in [-1, 1] -> radians. MIL iOS15 `acos`."""
    return np.arccos(x)


@op("atan")
def atan(x: Array) -> Array:
    """x f[*] -> radians. MIL iOS15 `atan`."""
    return np.arctan(x)


@op("sinh")
def sinh(x: Array) -> Array:
    """x f[*] -> hyperbolic sine. MIL iOS15 `sinh`."""
    return np.sinh(x)


@op("cosh")
def cosh(x: Array) -> Array:
    """x f[*] -> hyperbolic cosine. MIL iOS15 `cosh`."""
    return np.cosh(x)


@op("tanh")
def tanh(x: Array) -> Array:
    """x f[*] -> hyperbolic tangent. MIL iOS15 `tanh`."""
    return np.tanh(x)


@op("atanh")
def atanh(x: Array) -> Array:
    """x f[*] in (-1, 1) -> inverse hyperbolic tangent. MIL iOS15 `atanh`."""
    return np.arctanh(x)


def _is_float(x: Array) -> bool:
    return np.asarray(x).dtype.kind == "f"
