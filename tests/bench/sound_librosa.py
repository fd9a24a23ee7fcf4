"""One second of sound to log-mel by librosa, under its own Python: lines of a name and milliseconds.

`log-mel` calls what a user calls; `log-mel-held` makes the filter bank once.
"""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
from thread_clock import best

state = np.arange(16000, dtype=np.uint32) * np.uint32(1664525) + np.uint32(1013904223)
samples = (state >> np.uint32(18)).astype(np.uint16).view(np.int16)
signal = samples.astype(np.float32) / np.float32(32768)
bank = librosa.filters.mel(sr=16000, n_fft=512, n_mels=64)


def plain() -> Any:
    """librosa's own mel spectrogram, then the logarithm."""
    mel = librosa.feature.melspectrogram(y=signal, sr=16000, n_fft=512, win_length=400, hop_length=160, n_mels=64)
    return np.log(mel + 1e-6)


def held() -> Any:
    """The same, the filter bank made before."""
    spectrum = np.abs(librosa.stft(signal, n_fft=512, win_length=400, hop_length=160)) ** 2
    return np.log(bank @ spectrum + 1e-6)


print(f"log-mel {best(plain, 300)}")
print(f"log-mel-held {best(held, 300)}")
