"""Writes the two seeded recordings: a circling hand, and a hand at rest, in milli-g at 25 Hz."""

from __future__ import annotations

import math
import random
from pathlib import Path

LENGTH = 160


def rows(radius: float, seed: int) -> list[str]:
    """x, y, z of each moment: a turn each 1.6 s, gravity on z, and noise."""
    noise = random.Random(seed)
    made = []
    for index in range(LENGTH):
        angle = 2 * math.pi * index / 40
        x, y, z = radius * math.cos(angle), radius * math.sin(angle), 1000.0
        made.append(",".join(f"{value + noise.gauss(0, 15):.1f}" for value in (x, y, z)))
    return made


for name, radius, seed in (("circle", 600.0, 1), ("rest", 0.0, 2)):
    text = "\n".join(["x,y,z", *rows(radius, seed)]) + "\n"
    Path(__file__).with_name(f"{name}.csv").write_text(text, "utf-8")
