"""What TensorFlow makes of seeded images, for a test that must not import it. Arguments: sizes.json, out.npz."""

from __future__ import annotations

import json
import sys

import numpy as np
import tensorflow as tf


def main(sizes: str, out: str) -> None:
    """sizes.json: [[w, h, width, height, channels]]. out.npz: image_i, nearest_i, plain_i, antialias_i, standard_i."""
    found = {}
    rng = np.random.default_rng(0)
    with open(sizes, encoding="utf-8") as stream:  # noqa: PTH123
        rows = json.load(stream)
    for index, (w, h, width, height, channels) in enumerate(rows):
        image = rng.integers(0, 256, (h, w, channels), np.uint8)
        size = (height, width)
        found[f"image_{index}"] = image
        found[f"nearest_{index}"] = tf.image.resize(image, size, "nearest").numpy()
        found[f"plain_{index}"] = tf.image.resize(image, size, "bilinear").numpy()
        found[f"antialias_{index}"] = tf.image.resize(image, size, "bilinear", antialias=True).numpy()
        found[f"standard_{index}"] = tf.image.per_image_standardization(image).numpy()
    np.savez(out, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
