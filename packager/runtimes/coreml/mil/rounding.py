"""Rounding of float32 arrays to the values of float16 (IEEE 754 binary16), to nearest, ties to even.

The same as `x.astype(float16).astype(float32)`, which numpy computes ten times slower.
"""

from __future__ import annotations

import numpy as np

from packager.runtimes.coreml.mil.registry import Array

_DROPPED_BITS = 13  # float32 has 23 bits of mantissa, float16 has 10
_SMALLEST_NORMAL_BITS = 0x38800000  # 2 ** -14 as float32
_LARGEST_BITS = 0x477FE000  # 65504 as float32
# The last bit of a float32 near 0.75 is 2 ** -24, the step of float16 below its smallest normal.
_SUBNORMAL_STEP = np.float32(0.75)


def round_to_half(x: Array) -> Array:
    """x float32[*] -> float32[*] of float16 values: subnormals kept, from 65520 on infinite, NaN stays NaN."""
    bits = x.view(np.uint32)
    rounded = bits >> np.uint32(_DROPPED_BITS)
    rounded &= np.uint32(1)
    rounded += np.uint32((1 << (_DROPPED_BITS - 1)) - 1)
    rounded += bits
    rounded &= np.uint32(0x100000000 - (1 << _DROPPED_BITS))
    y: Array = rounded.view(np.float32)
    magnitude = bits & np.uint32(0x7FFFFFFF)
    if magnitude.max(initial=0) > _LARGEST_BITS:
        beyond = magnitude > _LARGEST_BITS
        value, limit = x[beyond], np.float32(65504)
        large = np.where(np.abs(y[beyond]) > limit, np.copysign(np.inf, value), y[beyond])
        # The bits of a NaN may have overflowed.
        y[beyond] = np.where(np.isnan(value), value, large)
    magnitude -= np.uint32(1)  # zero, which needs no more rounding, becomes the largest
    small = magnitude < np.uint32(_SMALLEST_NORMAL_BITS - 1)
    if small.any():
        value = x[small]
        y[small] = np.copysign((np.abs(value) + _SUBNORMAL_STEP) - _SUBNORMAL_STEP, value)
    return y
