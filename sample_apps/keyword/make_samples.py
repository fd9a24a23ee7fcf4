"""Writes yes.wav and no.wav with espeak-ng (a Debian package): one second of 16 kHz, the word in its middle."""

from __future__ import annotations

import io
import subprocess
import wave
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

RATE = 16_000


def spoken(word: str) -> bytes:
    """16-bit mono PCM."""
    command = ["espeak-ng", "-v", "en-us", "-s", "150", "--stdout", word]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(made)) as file:
        rate = file.getframerate()
    samples = np.frombuffer(made[44:], "<i2").astype(np.float64)
    samples = resample_poly(samples, RATE, rate)
    loud = np.flatnonzero(np.abs(samples) > 300)
    part = samples[loud[0] : loud[-1] + 1][:RATE]
    whole = np.zeros(RATE)
    start = (RATE - part.size) // 2
    whole[start : start + part.size] = part
    return np.clip(np.round(whole), -32768, 32767).astype("<i2").tobytes()


for word in ("yes", "no"):
    with wave.open(str(Path(__file__).with_name(f"{word}.wav")), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(spoken(word))
