"""Colour space."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from pydantic import Field

from packager.model.contract import Call, ContractType, StepParams
from packager.steps._values import Array, aligned, largest_area, need_color

SUMMARY = "wide-gamut colours to sRGB, in integers"
ROLE = "to_srgb"
MATRIX_BITS = 14
LINEAR_ONE = 65535
BUCKET_BITS = 20

XY = {
    "srgb": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "display_p3": ((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
WHITE_D65 = (0.3127, 0.3290)
"""Chromaticities of red, green and blue (IEC 61966-2-1; SMPTE EG 432-1 with sRGB's curve), and of their white."""


class Params(StepParams):
    """The space that the pixels are in."""

    source: Literal["display_p3"] = Field(description="display_p3: what iPhone photos are in.")


def result_type(bound: Params, value: ContractType) -> ContractType:  # noqa: ARG001
    """rgb image -> rgb image of the same size, in sRGB."""
    return need_color("srgb", value, "rgb")


def decode_curve(level: float) -> float:
    """Linear light, 0..1, of an sRGB-coded level, 0..1."""
    return level / 12.92 if level <= 0.04045 else float(((level + 0.055) / 1.055) ** 2.4)


def _to_xyz(space: str) -> Array:
    """3x3: linear colours of a space to XYZ; white is (1, 1, 1)."""
    columns: Array = np.array([[x / y, 1.0, (1.0 - x - y) / y] for x, y in XY[space]]).T
    x, y = WHITE_D65
    white = np.array([x / y, 1.0, (1.0 - x - y) / y])
    result: Array = columns * np.linalg.solve(columns, white)
    return result


@cache
def tables(source: str) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Integer constants of the conversion: linear[256], thresholds[255], matrix[9].

    linear[v] = round(65535 * decode_curve(v / 255)). matrix = inverse(sRGB to XYZ) * (source to XYZ), times 2^14 and
    rounded, the diagonal moved so that each row sums to 2^14: greys stay as they are.
    thresholds[j] = round(2^14 * 65535 * decode_curve((j + 0.5) / 255)): the smallest sum that is level j + 1.
    """
    linear = tuple(round(LINEAR_ONE * decode_curve(v / 255)) for v in range(256))
    one = 1 << MATRIX_BITS
    matrix = np.rint(np.linalg.solve(_to_xyz("srgb"), _to_xyz(source)) * one).astype(int)
    for row in range(3):
        matrix[row, row] += one - matrix[row].sum()
    thresholds = tuple(round(one * LINEAR_ONE * decode_curve((j + 0.5) / 255)) for j in range(255))
    return linear, thresholds, tuple(int(x) for x in matrix.reshape(-1))


def apply(bound: Params, value: Array) -> Array:
    """uint8 [h, w, 3] -> uint8 [h, w, 3].

    l = linear[v] for each channel; s_i = matrix[i][0] * l_0 + matrix[i][1] * l_1 + matrix[i][2] * l_2 in int32; the
    result is the number of thresholds that are <= s_i.
    """
    linear, thresholds, matrix = tables(bound.source)
    light = np.array(linear, np.int32)[value]
    sums = np.einsum("hwc,ic->hwi", light, np.array(matrix, np.int32).reshape(3, 3))
    levels: Array = np.searchsorted(np.array(thresholds, np.int32), sums, side="right").astype(np.uint8)
    return levels


def call(bound: Params, value: ContractType) -> Call:
    """`convert_colors(linear, thresholds, matrix)`: image -> image."""
    image = need_color("srgb", value, "rgb")
    linear, thresholds, matrix = tables(bound.source)
    arguments = (("linear", linear), ("thresholds", thresholds), ("matrix", matrix))
    buckets = aligned(1 << (30 - BUCKET_BITS))
    return Call("convert_colors", arguments, image, aligned(3 * largest_area(image)) + buckets)
