"""Speed of the sound steps: one second of 16 kHz to 64 log-mel values of 101 frames, against librosa, in one run.

    python tests/bench/sound_bench.py

Times are the best of many runs in processor time of one thread. The goal holds against librosa's own call; the row
beside it shows librosa with its filter bank made once, as ours is. The Kotlin steps run on the JVM, which is not ART.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from steps_native import Row, Times, cpp, kotlin, measure, oracle, parse, run, swift

from packager.core.constants import Float32
from packager.model.contract import TensorType
from packager.steps import mel, spectrogram

HERE = Path(__file__).resolve().parent
LIBROSA = "librosa==0.11.0"
USED = ("waveform", "spectrogram", "mel", "log")
GOAL = 0.2
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def constants() -> dict[str, str]:
    """What the drivers take from the contract's own calls."""
    frames = spectrogram.Params(frame=400, hop=160, fft=512, like="librosa")
    bank = mel.Params(bins=64, rate=16_000, like="librosa", scale="slaney", norm="slaney")
    found = dict(spectrogram.call(frames, TensorType("float32", (1, 16_000))).arguments)
    found |= dict(mel.call(bank, TensorType("float32", (1, int(str(found["frames"])), 257))).arguments)
    given = {name: str(found[name]) for name in ("first", "frames")}
    for name, suffix in (("starts", ""), ("counts", ""), ("weights", "f")):
        values = found[name]
        assert isinstance(values, tuple)
        given[name] = ", ".join(
            f"{value.value:.9e}{suffix}" if isinstance(value, Float32) else str(value) for value in values
        )
    return given | {"filters": "64"}


def source(name: str, plain: bool = False) -> str:
    """A driver with its constants; `plain` where the language has no suffix for a float."""
    text = (HERE / name).read_text("utf-8")
    for key, value in constants().items():
        text = text.replace(f"@{key}@", value.replace("f", "") if plain else value)
    return text


def librosa_times() -> Times:
    """librosa in an environment of its own, one thread."""
    env = {**os.environ, **dict.fromkeys(ONE_THREAD, "1")}
    return parse(run([oracle("librosa", [LIBROSA]), str(HERE / "sound_librosa.py")], env=env))


def main() -> list[Row]:
    """Rows as `run.py` wants them."""
    skipped: list[Row] = []
    reference = measure("log-mel, librosa", librosa_times, skipped)
    takes = {
        "C++": lambda: cpp(source("sound_bench.cpp"), USED),
        "Kotlin (JVM, not ART)": lambda: kotlin(source("SoundBench.kt"), USED),
        "Swift -O": lambda: swift(source("sound_bench.swift", plain=True), USED),
    }
    if reference is None:
        return skipped
    whose = LIBROSA.replace("==", " ")
    found: list[Row] = [
        {"what": f"log-mel, {whose}", "value": reference["log-mel"], "unit": "ms"},
        {"what": f"log-mel, {whose}, filter bank made once", "value": reference["log-mel-held"], "unit": "ms"},
    ]
    for language, take in takes.items():
        times = measure(f"log-mel, {language}", take, skipped)
        if times is not None:
            ratio = times["log-mel"] / reference["log-mel"]
            one: Row = {"what": f"log-mel, {language}", "value": ratio, "unit": "of librosa"}
            found.append(one | ({"goal": GOAL} if language == "C++" else {}) | {"note": f"{times['log-mel']:.3f} ms"})
    return found + skipped


if __name__ == "__main__":
    for one in main():
        sys.stdout.write(json.dumps(one) + "\n")
