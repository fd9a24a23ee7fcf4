"""An exponential that is the same to the bit in all languages: only float64 additions and multiplications."""

from __future__ import annotations

import numpy as np

from packager.steps._values import Array

LIMIT = 200.0
"""Beyond it a float32 has long been 0 or infinite."""
LOG2_E = 1.4426950408889634
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
"""Sum: the natural logarithm of 2; the high part ends in 21 zero bits, so that k * high is exact."""
COEFFICIENTS = (
    2.505210838544172e-08,
    2.755731922398589e-07,
    2.7557319223985893e-06,
    2.48015873015873e-05,
    0.0001984126984126984,
    0.001388888888888889,
    0.008333333333333333,
    0.041666666666666664,
    0.16666666666666666,
    0.5,
    1.0,
    1.0,
)
"""1 / n! for n = 11 ... 0."""


def exp(values: Array) -> Array:
    """float64 -> float64, within 1e-14 of the value: 2^k * p(r), x = k * ln 2 + r, |r| <= ln 2 / 2.

    p is the Taylor polynomial of degree 11 by Horner. x is first clamped to [-200, 200].
    """
    x = np.clip(values.astype(np.float64), -LIMIT, LIMIT)
    k = np.floor(x * LOG2_E + 0.5)
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = np.zeros_like(r)
    for coefficient in COEFFICIENTS:
        p = p * r + coefficient
    result: Array = np.ldexp(p, k.astype(np.int32))
    return result


def sigmoid(values: Array) -> Array:
    """float32 -> float32: e = exp(-|x|); 1 / (1 + e) where x >= 0, else e / (1 + e), in float64, rounded once."""
    wide = values.astype(np.float64)
    small = exp(-np.abs(wide))
    result: Array = (np.where(wide >= 0, 1.0, small) / (1.0 + small)).astype(np.float32)
    return result
