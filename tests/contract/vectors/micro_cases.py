"""The micro frontend's part of the group `series`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from micro_signals import SIGNALS
from step_cases import Case, case

from packager.model.contract import AudioType

NATIVE = (
    *("silence", "least", "greatest", "noise-1", "noise-1000", "noise-32767"),
    *("chirp-3", "chirp-30000", "slow-square", "bursts-1", "clicks", "onset"),
)
"""Constants take compilers long: the other signals are left to the reference."""


def micro() -> Iterator[Case]:
    """Frames, short audio, settings."""
    for name in NATIVE:
        yield _case(name, {"frames": 98}, SIGNALS[name]())
    bursts, noise = SIGNALS["bursts-1"](), SIGNALS["noise-1000"]()
    every = {"frames": 49, "every": 2, "short": "pad"}
    for length in (1, 480, 5_000, 15_999, 16_000):
        for place in ("first", "last"):
            yield _case(f"{place}-{length}", {**every, "at": place}, bursts[:length])
    for length in (15_839, 15_840, 16_000):
        yield _case(f"refuse-{length}", {"frames": 49, "every": 2}, bursts[:length], most=16_000)
    others: dict[str, dict[str, Any]] = {
        "no-gain": {"enable_pcan": False},
        "no-log": {"enable_log": False},
        "plain": {"enable_pcan": False, "enable_log": False},
        "scale": {"scale": 0.1, "scale_shift": 10},
        "short-window": {"window_size": 8, "window_step": 3, "num_channels": 7, "gain_bits": 20},
        "long-window": {"window_size": 64, "window_step": 64, "num_channels": 100, "gain_bits": 22},
        "tensorflow": {"window_size": 25, "window_step": 10, "num_channels": 32},
        "bands": {"lower_band_limit": 20.0, "upper_band_limit": 4_000.0, "num_channels": 64},
        "noise": {"even_smoothing": 0.5, "odd_smoothing": 1.0, "min_signal_remaining": 0.0, "smoothing_bits": 4},
        "gain": {"pcan_strength": 0.5, "pcan_offset": 1.0, "gain_bits": 18},
    }
    for name, params in others.items():
        yield _case(name, {"frames": 10, "every": 3, "short": "pad", **params}, bursts)
    slow = {"rate": 8_000, "frames": 40, "upper_band_limit": 3_800.0}
    yield _case("8-kHz", slow, noise)


def _case(name: str, params: dict[str, Any], samples: list[int], most: int = 20_000) -> Case:
    start = AudioType(params.get("rate", 16_000), 1, most)
    return case(name, "micro_frontend", params, np.array(samples, np.int16).reshape(-1, 1), start=start)
