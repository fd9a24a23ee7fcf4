"""Writes what pymicro-features 2.0.2 makes of the seeded signals; it has no place in the core environment.

    python micro_features_oracle.py micro_features.json

The file holds the CRC-32 of each frame's 40 integer features (uint16, little endian) by signal.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from pathlib import Path

from micro_signals import SIGNALS, Signal

STEP = 160
SCALE = 0.0390625


def frames(samples: Signal) -> list[int]:
    """Feeds 10 ms at a time, as the library wants it."""
    from pymicro_features import MicroFrontend

    frontend, found = MicroFrontend(), []
    for start in range(0, len(samples) - STEP + 1, STEP):
        chunk = struct.pack(f"<{STEP}h", *samples[start : start + STEP])
        output = frontend.process_samples(chunk)
        if output.samples_read != STEP:
            raise RuntimeError(f"{output.samples_read} samples taken")
        if output.features:
            integers = [round(value / SCALE) for value in output.features]
            found.append(zlib.crc32(struct.pack(f"<{len(integers)}H", *integers)))
    return found


def main(out: str) -> None:
    """Write the file."""
    rows = [f'  "{name}": {json.dumps(frames(make()))}' for name, make in SIGNALS.items()]
    Path(out).write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
