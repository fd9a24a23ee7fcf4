"""Steps whose formula fits a line: element by element in plain Python, for many shapes and numbers."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from proof import FORMULA, equal, seen
from step_cases import CATALOG, bind

SIDE = st.integers(1, 12)
FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
FEW = settings(derandomize=True, max_examples=60, deadline=None)


def run(step: str, params: dict[str, Any], value: Any) -> Any:
    module: Any = CATALOG.steps[step]
    return module.apply(bind(step, params), value)


def same(step: str, like: str, found: Any, reference: Any) -> None:
    """Equal to the bit, in the same order."""
    wanted = np.asarray(reference, found.dtype)
    seen(step, like, found, wanted)
    assert found.reshape(-1).tobytes() == wanted.reshape(-1).tobytes()


def rounded(number: float) -> float:
    """The nearest float32; infinite where there is none."""
    try:
        return float(struct.unpack("<f", struct.pack("<f", number))[0])
    except OverflowError:
        return math.copysign(math.inf, number)


def numbers(shape: Sequence[int], seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@FEW
@given(SIDE, SIDE, st.integers(0, 99))
def test_channels_are_exchanged_as_pillow_merges_them(w: int, h: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (h, w, 3), np.uint8)
    red, green, blue = Image.fromarray(pixels).split()
    merged = np.asarray(Image.merge("RGB", (blue, green, red)))
    same("channels", f"Pillow {PIL.__version__}", run("channels", {"order": "bgr"}, pixels), merged)


@FEW
@given(SIDE, SIDE, st.integers(1, 4), st.integers(0, 99))
def test_layout_and_transpose_move_axes(h: int, w: int, c: int, seed: int) -> None:
    value = numbers((1, h, w, c), seed)
    planes = [value[0, y, x, k] for k in range(c) for y in range(h) for x in range(w)]
    same("layout", FORMULA, run("layout", {"order": "nchw"}, value), planes)
    frames = numbers((1, h, w), seed)
    turned = [frames[0, y, x] for x in range(w) for y in range(h)]
    same("transpose", FORMULA, run("transpose", {}, frames), turned)
    same("reshape", FORMULA, run("reshape", {"shape": [w, h]}, frames), list(frames.flat))


@FEW
@given(st.lists(FINITE, min_size=1, max_size=20), FINITE, FINITE)
def test_scale_rounds_the_product_and_the_sum(values: list[float], factor: float, offset: float) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        found = run("scale", {"factor": factor, "offset": offset}, np.array([values], np.float32))
    expected = [rounded(rounded(value * rounded(factor)) + rounded(offset)) for value in values]
    same("scale", FORMULA, found, expected)


@FEW
@given(st.floats(2**-20, 2**20, width=32), st.integers(-128, 127))
def test_dequantize_rounds_once(scale: float, zero_point: int) -> None:
    every = np.arange(-128, 128).astype(np.int8)
    found = run("dequantize", {"scale": scale, "zero_point": zero_point}, every)
    same("dequantize", FORMULA, found, [rounded((int(q) - zero_point) * scale) for q in every])


@FEW
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(1, 12), st.integers(-3, 3), st.booleans())
def test_labels_are_sorted_by_score_then_index(scores: list[int], top: int, least: int, limited: bool) -> None:
    names = [f"label {index}" for index in range(len(scores))]
    params: dict[str, Any] = {"names": names, "top": min(top, len(scores))} | ({"threshold": least} if limited else {})
    found = run("labels", params, np.array([scores], np.float32))
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))[: params["top"]]
    expected = [(names[i], float(scores[i]), i) for i in order if not limited or scores[i] >= least]
    equal("labels", FORMULA, [(each.label, each.score, each.index) for each in found.labels] == expected)


@FEW
@given(st.lists(FINITE, min_size=1, max_size=40))
def test_an_embedding_is_divided_by_its_length(values: list[float]) -> None:
    row = np.array([values], np.float32)
    found = run("embedding", {}, row).values
    length = math.sqrt(math.fsum(value * value for value in values))
    expected = [value / length if length else value for value in values]
    seen("embedding", FORMULA, found, expected)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-45)
    same("embedding", FORMULA, np.array(run("embedding", {"normalize": False}, row).values, np.float32), values)


@FEW
@given(st.lists(FINITE, min_size=1, max_size=40), st.text(max_size=9))
def test_values_are_the_numbers(values: list[float], unit: str) -> None:
    found = run("values", {"unit": unit}, np.array([values], np.float32))
    same("values", FORMULA, np.array(found.values, np.float32), values)
    assert (found.shape, found.unit) == ((1, len(values)), unit)


@FEW
@given(FINITE, FINITE)
def test_a_number_is_above_a_limit_or_not(number: float, limit: float) -> None:
    (found,) = run("threshold", {"limit": limit, "below": "a", "above": "b"}, np.array([[number]], np.float32)).labels
    expected = ("b", 1) if number > limit else ("a", 0)
    equal("threshold", FORMULA, (found.label, found.index, found.score) == (*expected, number))
