"""Writes `hub_processors.json`: what Hugging Face's own image processors make of one picture.

Needs a Python with transformers 4.57.1, Pillow and numpy (no torch); it runs apart from the tests:

    python tests/contract/vectors/hub_oracle.py

Of each processor: the file that `save_pretrained` writes, the shape of its result, and numbers of it at drawn places.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("hub_processors.json")
FIXED = (
    "BeitImageProcessor", "BitImageProcessor", "BlipImageProcessor", "CLIPImageProcessor", "ConvNextImageProcessor",
    "DPTImageProcessor", "DeiTImageProcessor", "EfficientNetImageProcessor", "LevitImageProcessor",
    "MobileNetV1ImageProcessor", "MobileNetV2ImageProcessor", "PoolFormerImageProcessor", "PvtImageProcessor",
    "SegformerImageProcessor", "SiglipImageProcessor", "ViTImageProcessor",
)  # fmt: skip
FREE = ("DetrImageProcessor", "GLPNImageProcessor", "MobileViTImageProcessor", "YolosImageProcessor")
PLACES = 40


def picture() -> Any:
    """uint8 [300, 451, 3]: slopes and a pattern, in integers."""
    y, x, c = np.meshgrid(np.arange(300), np.arange(451), np.arange(3), indexing="ij")
    return ((x * (c + 1) // 2 + y * (3 - c) + (x * y * (c + 5)) % 61) % 256).astype(np.uint8)


def places(shape: tuple[int, ...]) -> Any:
    """Drawn flat indices of an array."""
    return np.random.default_rng(7).integers(0, int(np.prod(shape)), PLACES)


def main() -> None:
    """Run every processor."""
    import transformers
    from PIL import Image

    rows = []
    for name in (*FIXED, *FREE):
        processor = getattr(transformers, name)()
        with tempfile.TemporaryDirectory() as folder:
            processor.save_pretrained(folder)
            config = json.loads((Path(folder) / "preprocessor_config.json").read_text("utf-8"))
        made = np.asarray(processor(Image.fromarray(picture()), return_tensors="np")["pixel_values"])
        values = [float(value) for value in made.reshape(-1)[places(made.shape)]]
        rows.append({"name": name, "config": config, "shape": list(made.shape), "values": values})
    lines = ",\n".join(json.dumps(row) for row in rows)
    FILE.write_text(f'{{"transformers": "{transformers.__version__}", "processors": [\n{lines}\n]}}\n', "utf-8")


if __name__ == "__main__":
    main()
