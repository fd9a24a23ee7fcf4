"""micro_frontend: equal to pymicro-features, a stream in chunks equal to the whole, what it keeps and refuses."""

from __future__ import annotations

import json
import math
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "vectors"))

from micro_signals import SIGNALS
from proof import equal

from packager.model.contract import AudioType, StepMismatchError, TensorType
from packager.steps import micro_frontend
from packager.steps.micro_frontend import Params
from packager.steps.micro_frontend._frontend import Frontend, root
from packager.steps.micro_frontend._tables import log1pf, tables

FILE = Path(__file__).parent / "vectors" / "micro_features.json"
ORACLE: dict[str, list[int]] = json.loads(FILE.read_text("utf-8"))
"""CRC-32 of each frame by signal, from pymicro-features 2.0.2 (micro_features_oracle.py)."""
MONO = AudioType(16_000, 1, 16_000)
DEFAULT = micro_frontend.settings(Params(frames=1))


def samples(name: str) -> Any:
    return np.array(SIGNALS[name](), np.int16)


def features(values: Any) -> Any:
    return Frontend(DEFAULT, 6).process(values)


def test_the_oracle_knows_every_signal() -> None:
    assert set(ORACLE) == set(SIGNALS)
    assert all(len(frames) == 98 for frames in ORACLE.values())


@pytest.mark.parametrize("name", SIGNALS)
def test_equal_to_pymicro_features(name: str) -> None:
    found = [zlib.crc32(frame.astype("<u2").tobytes()) for frame in features(samples(name))]
    wrong = [i for i, (one, other) in enumerate(zip(found, ORACLE[name], strict=True)) if one != other]
    equal("micro_frontend", "pymicro-features 2.0.2", not wrong)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=12))
@settings(derandomize=True, deadline=None, max_examples=25)
def test_a_stream_in_chunks_gives_the_frames_of_the_whole(sizes: list[int]) -> None:
    values = samples("bursts-1")[: sum(sizes)]
    frontend = Frontend(DEFAULT, 6)
    chunks = np.split(values, np.cumsum(sizes)[:-1])
    np.testing.assert_array_equal(np.concatenate([frontend.process(chunk) for chunk in chunks]), features(values))


def test_keeps_frames_and_scales_them() -> None:
    values = samples("bursts-2")
    every = features(values).astype(np.float32) * np.float32(10 / 256)
    for params, kept in (
        ({"frames": 49, "every": 2}, every[0:97:2]),
        ({"frames": 49, "every": 2, "at": "last"}, every[1:98:2]),
        ({"frames": 3, "at": "last"}, every[95:]),
    ):
        found = micro_frontend.apply(Params.model_validate(params), values[:, None])
        np.testing.assert_array_equal(found, kept[None])


def test_short_audio_is_followed_by_silence_or_refused() -> None:
    values = samples("noise-1000")
    padded = micro_frontend.apply(Params(frames=98, short="pad"), values[:9_000, None])
    silent = np.concatenate([values[:9_000], np.zeros(7_000, np.int16)])
    np.testing.assert_array_equal(padded, micro_frontend.apply(Params(frames=98), silent[:, None]))
    assert micro_frontend.apply(Params(frames=98), values[:16_000, None]).shape == (1, 98, 40)
    with pytest.raises(ValueError, match="16000 samples are needed, got 15999"):
        micro_frontend.apply(Params(frames=98), values[:15_999, None])


@given(st.integers(0, (1 << 52) - 1))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_root_is_rounded(value: int) -> None:
    floor = math.isqrt(value)
    nearest = floor + (value - floor * floor > floor)
    expected = min(nearest, 0xFFFF) if value < 1 << 32 else nearest
    assert int(root(np.array([value], np.uint64))[0]) == expected


def test_root_of_edges() -> None:
    values = np.array([0, 1, 2, 3, (1 << 32) - 1, 1 << 32, 0xFFFF**2, 0xFFFF * 0x10000], np.uint64)
    np.testing.assert_array_equal(root(values), [0, 1, 1, 2, 0xFFFF, 0x10000, 0xFFFF, 0xFFFF])


@given(st.floats(0, 200, width=32))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_the_logarithm_is_within_one_unit(value: float) -> None:
    exact = math.log1p(value)
    assert abs(float(log1pf(np.float32(value))) - exact) <= float(np.spacing(np.float32(exact)))


def test_tables_hold_what_the_sizes_say() -> None:
    found = tables(DEFAULT)
    assert (len(found.window), len(found.cosines), len(found.widths), len(found.gains)) == (480, 512, 41, 125)
    assert sum(found.widths) == len(found.weights) == len(found.unweights)
    assert {a + b for a, b in zip(found.weights, found.unweights, strict=True)} <= {4096, 4097}


@pytest.mark.parametrize(
    ("params", "value", "text"),
    [
        ({}, TensorType("float32", (1, 4)), "works on audio"),
        ({}, AudioType(16_000, 2, 16_000), "one channel at 16000 Hz"),
        ({}, AudioType(44_100, 1, 44_100), "one channel at 16000 Hz"),
        ({"frames": 99}, MONO, "99 frames need 16160 samples, but at most 16000"),
        ({"window_step": 31}, MONO, "windows of 480 samples every 496"),
        ({"window_size": 200}, MONO, "windows of 3200 samples"),
        ({"lower_band_limit": 7_500.0}, MONO, "bands from 7500 to 7500 Hz"),
        ({"upper_band_limit": 8_000.0}, MONO, "bands up to 8000 Hz"),
        ({"gain_bits": 14}, MONO, "`gain_bits` 14 and `smoothing_bits` 10"),
        ({"smoothing_bits": 2}, MONO, "`smoothing_bits` 2"),
    ],
)
def test_refuses(params: dict[str, Any], value: Any, text: str) -> None:
    with pytest.raises(StepMismatchError, match=text):
        micro_frontend.result_type(Params.model_validate({"frames": 49, **params}), value)


def test_says_what_comes_out() -> None:
    assert micro_frontend.result_type(Params(frames=98), MONO) == TensorType("float32", (1, 98, 40))
