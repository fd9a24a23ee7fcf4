"""What librosa gives for the signal steps: `python librosa_oracle.py` under librosa 0.11.0 writes librosa_signal.json.

librosa does not fit the core environment; its numbers are stored, every 7th, and compared in test_steps_signal.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES = 4000
STEP = 7

Chain = tuple[tuple[str, dict[str, Any]], ...]
STFT: dict[str, Any] = {"frame": 400, "hop": 160, "fft": 512, "like": "librosa"}
SLANEY: dict[str, Any] = {"bins": 64, "rate": 16_000, "like": "librosa", "scale": "slaney", "norm": "slaney"}
HTK: dict[str, Any] = {"bins": 40, "rate": 16_000, "low": 20.0, "high": 7600.0, "like": "librosa"}
CASES: dict[str, Chain] = {
    "power": (("spectrogram", STFT),),
    "magnitude": (("spectrogram", {**STFT, "power": 1, "fft": 400}),),
    "whole frames": (("spectrogram", {**STFT, "center": False}),),
    "slaney": (("spectrogram", STFT), ("mel", SLANEY)),
    "htk": (("spectrogram", STFT), ("mel", HTK)),
    "decibels": (("spectrogram", STFT), ("mel", SLANEY), ("decibels", {})),
    "decibels of the largest": (("spectrogram", STFT), ("mel", HTK), ("decibels", {"reference": "max", "range": 40.0})),
    "mfcc": (("spectrogram", STFT), ("mel", SLANEY), ("decibels", {}), ("mfcc", {"count": 20, "like": "librosa"})),
}


def signal(samples: int) -> Any:
    """A chirp in noise, the same everywhere: float32 [1, samples]."""
    t = np.arange(samples) / 16_000.0
    noise = ((np.arange(samples) * 7919 + 104_729) % 10_007) / 10_007.0 - 0.5
    return (0.5 * np.sin(2 * np.pi * (200.0 + 1500.0 * t) * t) + 0.05 * noise).astype(np.float32)[None]


def run(step: str, params: dict[str, Any], value: Any) -> Any:
    """One step by librosa itself; rows are frames, as in the contract."""
    import librosa

    if step == "spectrogram":
        found = librosa.stft(value[0].astype(np.float64), n_fft=params["fft"], hop_length=params["hop"],
                             win_length=params["frame"], center=params.get("center", True))  # fmt: skip
        return np.abs(found.T) ** params.get("power", 2)
    if step == "mel":
        bank = librosa.filters.mel(
            sr=params["rate"], n_fft=2 * (value.shape[1] - 1), n_mels=params["bins"], fmin=params.get("low", 0.0),
            fmax=params.get("high"), htk=params.get("scale", "htk") == "htk",
            norm="slaney" if params.get("norm") == "slaney" else None, dtype=np.float64,
        )  # fmt: skip
        return value @ bank.T
    if step == "decibels":
        reference = np.max if params.get("reference") == "max" else 1.0
        return librosa.power_to_db(value, ref=reference, top_db=params.get("range", 80.0))
    return librosa.feature.mfcc(S=value.T, n_mfcc=params["count"]).T


def main() -> None:
    """Write the numbers beside this file."""
    stored = {}
    for name, chain in CASES.items():
        value = signal(SAMPLES)
        for step, params in chain:
            value = run(step, params, value)
        numbers = [float(f"{number:.9g}") for number in value.reshape(-1)[::STEP]]
        stored[name] = {"samples": SAMPLES, "shape": [1, *value.shape], "numbers": numbers}
    Path(__file__).with_name("librosa_signal.json").write_text(json.dumps(stored, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    main()
