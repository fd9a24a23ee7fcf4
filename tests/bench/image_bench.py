"""Speed of the image steps: each language against the library whose pixels it gives, as ratios of one run.

    python tests/bench/image_bench.py

Two tasks. `photo`: 12 megapixels of RGB to a float32 tensor of 224 x 224, bilinear with antialias (like pillow), one
thread. `frame`: a 720p NV21 frame, turned by 90 degrees, centre crop, 224 x 224, the same. Times are the best of
several runs in processor time of one thread, so that other programs on the machine count little. The Kotlin steps run
on the JVM's server compiler, which is not Android's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from steps_native import Row, Times, cpp, kotlin, measure, oracle, parse, run, swift
from thread_clock import best

HERE = Path(__file__).resolve().parent
USED = ("resize", "yuv", "normalize", "quantize")
OPENCV = "opencv-python-headless==4.12.0.88"
MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
PHOTO, FRAME, SIDE = (4000, 3000), (1280, 720), 224


def row(what: str, milliseconds: float, against: tuple[str, float] | None = None, goal: float | None = None) -> Row:
    """One figure: a ratio where it is held against another, with the largest value it may have."""
    if against is None:
        return {"what": what, "value": milliseconds, "unit": "ms"}
    found: Row = {"what": what, "value": milliseconds / against[1], "unit": f"of {against[0]}"}
    if goal is not None:
        found["goal"] = goal
    return {**found, "note": f"{milliseconds:.2f} ms"}


def pixels() -> Any:
    """The photo's bytes, the same as the drivers make: a linear congruential generator's high byte."""
    state = np.arange(PHOTO[0] * PHOTO[1] * 3, dtype=np.uint32)
    return ((state * np.uint32(1664525) + np.uint32(1013904223)) >> np.uint32(24)).astype(np.uint8)


def python_times() -> Times:
    """Pillow's resize and numpy's normalisation; `frame` has no counterpart without OpenCV."""
    image = Image.fromarray(pixels().reshape(PHOTO[1], PHOTO[0], 3))
    mean, std = np.array(MEAN, np.float32), np.array(STD, np.float32)

    def photo() -> Any:
        small = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        return (np.asarray(small, np.float32) - mean) / std

    return {"photo": best(photo, 25)}


def opencv_times() -> Times:
    """OpenCV's resize (area, which is what it has with antialias; linear) and frame, in an environment of its own."""
    python = oracle("opencv", ["numpy", OPENCV])
    return parse(run([python, str(HERE / "image_opencv.py"), json.dumps([MEAN, STD])]))


def cpp_times() -> Times:
    """The C++ steps."""
    return cpp((HERE / "image_bench.cpp").read_text("utf-8"), USED)


def kotlin_times() -> Times:
    """The Kotlin steps."""
    return kotlin((HERE / "ImageBench.kt").read_text("utf-8"), USED)


def swift_times() -> Times:
    """The Swift steps."""
    return swift((HERE / "image_bench.swift").read_text("utf-8"), USED)


def main() -> list[Row]:
    """Rows as `run.py` wants them: the times of libraries first, then ratios of the languages."""
    skipped: list[Row] = []
    python, cpp = python_times()["photo"], cpp_times()
    found = [row("photo, Pillow and numpy", python)]
    for name, milliseconds in (measure("OpenCV", opencv_times, skipped) or {}).items():
        found.append(row(f"{name}, OpenCV {OPENCV.partition('==')[2]}", milliseconds))
    found.append(row("photo, C++", cpp["photo"], ("Pillow and numpy", python), 0.5))
    found.append(frame_row("C++", cpp["frame"]))
    for language, take, goal in (("Kotlin (JVM, not ART)", kotlin_times, 1.5), ("Swift -O", swift_times, 1.3)):
        times = measure(language, take, skipped)
        if times is not None:
            found.append(row(f"photo, {language}", times["photo"], ("C++", cpp["photo"]), goal))
            found.append(frame_row(language, times["frame"]))
    return found + skipped


def frame_row(language: str, milliseconds: float) -> Row:
    """Megapixels of camera frame per second."""
    speed = FRAME[0] * FRAME[1] / 1000 / milliseconds
    return {"what": f"frame, {language}", "value": speed, "unit": "MP/s", "note": f"{milliseconds:.2f} ms"}


if __name__ == "__main__":
    for one in main():
        sys.stdout.write(json.dumps(one) + "\n")
