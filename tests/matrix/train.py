"""Trains the digit classifiers of the matrix in seconds: `python train.py digits.csv.gz FOLDER`.

Writes `digits.keras` (convolutions), `digits` (the same as a SavedModel) and `digits_gru.keras` (bidirectional GRU
and LSTM over the rows). Same machine, same versions: the same weights.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.update(TF_ENABLE_ONEDNN_OPTS="0", TF_CPP_MIN_LOG_LEVEL="2", CUDA_VISIBLE_DEVICES="")

import keras
import numpy as np
from keras import layers


def data(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Digits of scikit-learn: float32 [1797, 8, 8, 1] in 0..1, int32 [1797]."""
    table = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return table[:, :64].reshape(-1, 8, 8, 1) / 16, table[:, 64].astype(np.int32)


def convolutional() -> keras.Model:
    model = keras.Sequential([
        keras.Input((8, 8, 1), name="digit"),
        layers.Conv2D(16, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.SeparableConv2D(32, 3, strides=2, padding="same", activation="relu"),
        layers.Flatten(),
        layers.Dense(10, activation="softmax", name="scores"),
    ])  # fmt: skip
    model.build()
    return model


def recurrent() -> keras.Model:
    digit = keras.Input((8, 8, 1), name="digit")
    rows = layers.Reshape((8, 8))(digit)
    once = layers.Bidirectional(layers.GRU(16, return_sequences=True, unroll=True))(rows)
    last, state, cell = layers.LSTM(16, return_state=True, unroll=True)(once)
    return keras.Model(digit, {"scores": layers.Dense(10, activation="softmax")(last), "state": state, "cell": cell})


def trained(model: keras.Model, images: np.ndarray, digits: np.ndarray, epochs: int) -> keras.Model:
    named = len(model.outputs) > 1
    loss = {"scores": "sparse_categorical_crossentropy"} if named else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(images, {"scores": digits} if named else digits, batch_size=64, epochs=epochs, verbose=0, shuffle=False)
    return model


def main(table: Path, folder: Path) -> None:
    keras.utils.set_random_seed(1)
    images, digits = data(table)
    plain = trained(convolutional(), images[:1500], digits[:1500], 15)
    plain.save(folder / "digits.keras")
    plain.export(folder / "digits", verbose=False)
    trained(recurrent(), images[:1500], digits[:1500], 15).save(folder / "digits_gru.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
