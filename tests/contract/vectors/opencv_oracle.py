"""Writes opencv.json beside it: what OpenCV gives for the inputs of `opencv_sets`.

Needs `opencv-python-headless==4.12.0.88`, which has no place in the core environment, beside this project's packages:

    python -m venv oracle && oracle/bin/pip install numpy pydantic opencv-python-headless==4.12.0.88
    PYTHONPATH=. oracle/bin/python tests/contract/vectors/opencv_oracle.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from camera_frames import place
from opencv_sets import digest, frames, resizes

VERSION = "4.12.0"
FLAGS = {"nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR}
CODES = {"nv21": cv2.COLOR_YUV2RGB_NV21, "nv12": cv2.COLOR_YUV2RGB_NV12, "i420": cv2.COLOR_YUV2RGB_I420}


def resized() -> list[str]:
    """Digests in the order of `resizes`: nearest, then bilinear of each."""
    return [
        digest(cv2.resize(one.image(), (one.width, one.height), interpolation=flag))
        for one in resizes()
        for flag in FLAGS.values()
    ]


def converted() -> dict[str, dict[str, str]]:
    """Digests by frame: each layout with limited range, and full range."""
    found: dict[str, dict[str, str]] = {}
    for name, frame in frames():
        height, width = frame.y.shape
        rows: dict[str, str] = {}
        for layout, code in CODES.items():
            packed = np.frombuffer(place(frame, layout).data, np.uint8).reshape(height * 3 // 2, width)
            rows[layout] = digest(cv2.cvtColor(packed, code))
        planes: list[Any] = [np.repeat(np.repeat(plane, 2, axis=0), 2, axis=1) for plane in (frame.v, frame.u)]
        rows["full"] = digest(cv2.cvtColor(np.stack([frame.y, *planes], axis=-1), cv2.COLOR_YCrCb2RGB))
        found[name] = rows
    return found


def main() -> None:
    """Write the file."""
    assert cv2.__version__ == VERSION, cv2.__version__
    data = {"opencv": VERSION, "resize": resized(), "frames": converted()}
    Path(__file__).with_name("opencv.json").write_text(json.dumps(data, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
