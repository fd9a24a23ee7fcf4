"""OpenCV's times for `image_bench`, run where OpenCV is. Argument: means and deviations as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import cv2
import numpy as np
from thread_clock import best


def main(mean: Any, std: Any) -> None:
    """Photo by area and linear, frame by linear."""
    cv2.setNumThreads(1)
    state = np.arange(4000 * 3000 * 3, dtype=np.uint32)
    data = ((state * np.uint32(1664525) + np.uint32(1013904223)) >> np.uint32(24)).astype(np.uint8)
    photo, frame = data.reshape(3000, 4000, 3), data[: 1280 * 1080].reshape(1080, 1280)

    def resized(flag: int) -> Any:
        return (cv2.resize(photo, (224, 224), interpolation=flag).astype(np.float32) - mean) / std

    def converted() -> Any:
        upright = cv2.rotate(cv2.cvtColor(frame, cv2.COLOR_YUV2RGB_NV21), cv2.ROTATE_90_CLOCKWISE)
        square = cv2.resize(upright[280:1000], (224, 224), interpolation=cv2.INTER_AREA)
        return (square.astype(np.float32) - mean) / std

    sys.stdout.write(f"photo-area {best(lambda: resized(cv2.INTER_AREA), 9)}\n")
    sys.stdout.write(f"photo-linear {best(lambda: resized(cv2.INTER_LINEAR), 9)}\n")
    sys.stdout.write(f"frame {best(converted, 9)}\n")


if __name__ == "__main__":
    main(*(np.array(row, np.float32) for row in json.loads(sys.argv[1])))
