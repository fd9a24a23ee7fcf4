"""Writes two seeded pictures, discs of random place, size and colour over a grey ground: no hands, no labels."""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 160, 120


def picture(discs: int, seed: int) -> Image.Image:
    """The ground is light grey; later discs lie over earlier ones."""
    dice = random.Random(seed)
    made = Image.new("RGB", (WIDTH, HEIGHT), (200, 200, 200))
    pen = ImageDraw.Draw(made)
    for _ in range(discs):
        x, y, radius = dice.randrange(WIDTH), dice.randrange(HEIGHT), dice.randrange(8, 40)
        color = tuple(dice.randrange(256) for _ in range(3))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return made


for name, discs, seed in (("few", 3, 1), ("many", 30, 2)):
    picture(discs, seed).save(Path(__file__).with_name(f"{name}.png"), optimize=True)
