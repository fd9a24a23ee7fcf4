"""Group `series`: windows, units, standardisation and shapes of series; the micro frontend; ends of files; errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from micro_cases import micro
from result_cases import plain
from step_cases import Case, Pictures, case

from packager.model.contract import BytesType, SeriesType


def series() -> list[Case]:
    """All cases, ids unique."""
    made = [*_windows(), *_numbers(), *_bytes(), *_errors(), *plain(), *micro()]
    assert len({c.id for c in made}) == len(made)
    return made


def _windows() -> Iterator[Case]:
    pictures = Pictures()
    plans: dict[str, dict[str, Any]] = {
        "one": {"length": 8},
        "hop": {"length": 6, "hop": 2, "count": 4},
        "gaps": {"length": 3, "hop": 5, "count": 3},
        "row": {"length": 1, "count": 5},
    }
    for name, plan in plans.items():
        for place in ("first", "last"):
            for rows, channels in ((1, 3), (5, 1), (8, 2), (12, 3), (13, 3), (40, 6)):
                params = {**plan, "at": place, "short": "pad"}
                yield _series(f"{name}-{place}-{rows}x{channels}", params, pictures.floats(rows, channels))
    for rows in (7, 8):
        yield _series(f"refuse-{rows}", {"length": 8, "at": "last"}, pictures.floats(rows, 3))


def _series(name: str, params: dict[str, Any], value: Any) -> Case:
    return case(name, "window", params, value, start=SeriesType(value.shape[1], 64))


def _numbers() -> Iterator[Case]:
    pictures = Pictures()
    values = pictures.floats(1, 32, 3, scale=90.0)
    extreme = np.array([[3e38, -3e38, 1e-38, np.inf, np.nan, -0.0]], np.float32)
    yield case("gravity", "scale", {"factor": 9.80665}, values)
    yield case("each", "scale", {"factor": [0.1, 2, -3.3], "offset": [1e-3, 0, 7]}, values)
    yield case("offset", "scale", {"factor": 1.8, "offset": [32, 31, 30]}, values)
    yield case("extreme", "scale", {"factor": 2.5, "offset": -1}, extreme)
    constant = values.copy()
    constant[..., 1] = 0.1
    for like in ("tensorflow", "keras"):
        yield case(f"{like}-channels", "standardize", {"like": like, "per": "channel"}, values)
        yield case(f"{like}-constant-channel", "standardize", {"like": like, "per": "channel"}, constant)
        yield case(f"{like}-one-channel", "standardize", {"like": like, "per": "channel"}, values[..., :1].copy())
    yield case("column", "reshape", {"shape": [1, 32, 3, 1]}, values)
    yield case("flat", "reshape", {"shape": [96]}, values)


def _bytes() -> Iterator[Case]:
    rng = Pictures().rng
    spaces = np.frombuffer(b" \t\n\v\f\r", np.uint8)
    contents = {
        "empty": np.zeros(0, np.uint8),
        "one": np.array([65], np.uint8),
        "space": spaces,
        "all": np.arange(256, dtype=np.uint8),
        "around": np.concatenate([spaces, rng.integers(0, 256, 20, np.uint8), spaces]),
        "inside": np.frombuffer(b"  a \n b\x00\t\x0e\x08\x85\xa0 ", np.uint8),
        "short-block": np.concatenate(
            [np.full(14, 32, np.uint8), rng.integers(33, 256, 30, np.uint8), spaces.repeat(3)]
        ),
        "long": rng.integers(0, 256, 5_000, np.uint8),
    }
    small = {"head": 8, "tail": 6, "block": 16, "strip": True, "pad": 256, "dtype": "int32"}
    plans = {
        "small": small,
        "kept": {**small, "strip": False},
        "floats": {**small, "dtype": "float32", "pad": -1},
        "head": {**small, "tail": 0},
        "tail": {**small, "head": 0, "block": 12},
        "magika": {"head": 1024, "tail": 1024, "block": 4096, "strip": True, "pad": 256, "dtype": "int32"},
    }
    for plan, params in plans.items():
        for name, content in contents.items():
            yield case(f"{plan}-{name}", "head_tail", params, content, start=BytesType(10_000))


def _errors() -> Iterator[Case]:
    pictures = Pictures()
    one, other = pictures.floats(1, 140, scale=1.0), pictures.floats(1, 140, scale=1.0)
    far = np.array([[3e38, -3e38, 1e-38, 0.0]], np.float32)
    for metric in ("mse", "mae"):
        yield case(f"{metric}-two", "reconstruction_error", {"metric": metric}, (one, other))
        yield case(f"{metric}-close", "reconstruction_error", {"metric": metric}, (one, one + np.float32(1e-4)))
        yield case(f"{metric}-same", "reconstruction_error", {"metric": metric}, (one, one))
        yield case(f"{metric}-far", "reconstruction_error", {"metric": metric}, (far, -far))
        yield case(f"{metric}-nan", "reconstruction_error", {"metric": metric}, (far, far * np.float32(np.nan)))
    names = {"limit": 0.1, "below": "normal", "above": '$Anomalie "ü"'}
    for value in (0.0, 0.1, 0.10000001, 7.5, -1.0, float("inf"), float("nan")):
        yield case(f"{value}", "threshold", names, np.array([[value]], np.float32))
