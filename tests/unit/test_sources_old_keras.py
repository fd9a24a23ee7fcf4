"""Files as Keras 2.0 to 2.4 wrote them: made by tf-keras, their configuration set back, opened and run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from sources_tools import entry, write_feeds

from packager.core.samples import Arrays, read_samples
from packager.registry import Catalog
from packager.stages import source

pytestmark = pytest.mark.heavy
CATALOG = Catalog()

# Keys by the version of Keras that brought them.
LATER = {
    "2.0.8": {"reset_after", "ragged", "sparse", "groups", "time_major", "zero_output_for_mask",
              "keepdims", "interpolation", "output_padding", "registered_name",
              "module", "build_config", "build_input_shape", "synchronized"},
    "2.2.4": {"ragged", "groups", "time_major", "zero_output_for_mask", "keepdims", "registered_name", "module",
              "build_config", "build_input_shape", "synchronized"},
    "2.4.0": {"zero_output_for_mask", "keepdims", "registered_name", "module", "build_config", "build_input_shape",
              "synchronized"},
}  # fmt: skip


def aged(value: Any, version: str) -> Any:
    """A configuration without the keys that came later, and in the form of that time."""
    if isinstance(value, list):
        return [aged(item, version) for item in value]
    if not isinstance(value, dict):
        return value
    later = LATER[version] | ({"dtype"} if version == "2.0.8" and "batch_input_shape" not in value else set())
    kept = {key: aged(item, version) for key, item in value.items() if key not in later}
    if value.get("class_name") == "Functional" and version != "2.4.0":
        kept["class_name"] = "Model"
    if value.get("class_name") == "Sequential" and version == "2.0.8":  # a list of layers, its input in the first
        layers = kept["config"]["layers"]
        first = layers.pop(0) if layers[0]["class_name"] == "InputLayer" else None
        if first is not None:
            layers[0]["config"]["batch_input_shape"] = first["config"]["batch_input_shape"]
        kept["config"] = layers
    return kept


def set_back(path: Path, version: str) -> None:
    """Rewrite the attributes of an HDF5 file."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        file.attrs["model_config"] = json.dumps(aged(config, version)).encode()
        file.attrs["keras_version"] = version.encode()
        if "training_config" in file.attrs:
            del file.attrs["training_config"]


def mobile(keras: Any) -> Any:
    """Depthwise convolutions, batch normalisation, ReLU6, as MobileNet has them."""
    layers = keras.layers
    start = layers.Input((8, 8, 3), name="photo")
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(start)
    x = layers.Conv2D(4, 3, strides=2, use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    x = layers.SeparableConv2D(5, 3, padding="same")(x)
    x = layers.Conv2DTranspose(4, 3, strides=2, padding="same")(layers.UpSampling2D()(x))
    return keras.Model(start, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def nested(keras: Any) -> Any:
    """A Sequential and a Functional model inside another one."""
    layers = keras.layers
    encoder = keras.Sequential([layers.Dense(6, activation="relu", input_shape=(10,)), layers.Dense(3)])
    inner = layers.Input((3,))
    decoder = keras.Model(inner, layers.Dense(10, activation="sigmoid")(inner))
    start = layers.Input((10,), name="signal")
    return keras.Model(start, decoder(encoder(start)))


def sequence(keras: Any) -> Any:
    """Masking, then bidirectional LSTM and GRU (the form of GRU that Keras 2.0 had)."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Masking(0.0, input_shape=(5, 4)),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True)),
            layers.Bidirectional(layers.GRU(3, reset_after=False)),
            layers.Dense(2, activation="softmax"),
        ]
    )


def branches(keras: Any) -> Any:
    """Two inputs, two outputs."""
    layers = keras.layers
    photo, meta = layers.Input((6, 6, 2), name="photo"), layers.Input((4,), name="meta")
    x = layers.Concatenate()([layers.Flatten()(layers.MaxPooling2D()(photo)), meta])
    x = layers.Add()([layers.Dense(5)(x), layers.Dropout(0.5)(layers.Dense(5)(x))])
    return keras.Model([photo, meta], [layers.Dense(2, name="kind")(x), layers.Dense(1, name="score")(x)])


def wrapped(keras: Any) -> Any:
    """TimeDistributed, SimpleRNN, Embedding."""
    layers = keras.layers
    ids = layers.Input((6,), dtype="int32", name="ids")
    x = layers.TimeDistributed(layers.Dense(4, activation="tanh"))(layers.Embedding(20, 5)(ids))
    return keras.Model(ids, layers.Dense(2)(layers.SimpleRNN(3)(layers.PReLU()(x))))


MODELS: dict[str, Callable[[Any], Any]] = {
    each.__name__: each for each in (mobile, nested, sequence, branches, wrapped)
}


def samples(model: Any, names: list[str]) -> list[Arrays]:
    generator = np.random.default_rng(7)
    made = []
    for _ in range(2):
        sample: Arrays = {}
        for name, tensor in zip(names, model.inputs, strict=True):
            shape = (1, *tensor.shape[1:])
            whole = generator.integers(0, 20, shape).astype(np.int32)
            plain = generator.standard_normal(shape).astype(np.float32)
            sample[name] = whole if tensor.dtype == "int32" else plain
            if len(shape) == 3:
                sample[name][:, 3:] = 0
        made.append(sample)
    return made


CASES = [(name, "2.0.8") for name in MODELS] + [("nested", "2.2.4"), ("branches", "2.2.4"), ("mobile", "2.4.0")]


@pytest.mark.parametrize(("name", "version"), CASES)
def test_old_files_open_and_match(tmp_path: Path, name: str, version: str) -> None:
    import tf_keras

    tf_keras.utils.set_random_seed(11)
    model = MODELS[name](tf_keras)
    for layer in model._flatten_layers():
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            layer.moving_variance.assign(np.random.default_rng(1).uniform(0.5, 2, layer.moving_variance.shape))
    path = tmp_path / "m.h5"
    model.save(path)
    set_back(path, version)
    found = source.inspect(path, {}, CATALOG)
    assert found.format == "keras_h5"
    assert found.facts["keras_version"] == version
    names = [spec.name for spec in found.inputs]
    given = samples(model, names)
    expected = [[np.asarray(each) for each in _outputs(model, [sample[key] for key in names])] for sample in given]
    module = CATALOG.sources["keras_h5"]
    feeds = write_feeds(tmp_path / "feeds", given)
    entry(module.RUN)(request={}, inputs={"model": path, "feeds": feeds}, out=tmp_path / "run")
    shapes = {spec.name: [size or 1 for size in spec.shape] for spec in found.inputs}
    opened = entry(module.OPEN)(request={"shapes": shapes}, inputs={"model": path})
    outputs = [spec.name for spec in found.outputs]
    for sample, right, ran in zip(given, expected, read_samples(tmp_path / "run"), strict=True):
        frozen = opened.run(sample)
        for key, value in zip(outputs, right, strict=True):
            assert np.isfinite(value).all()
            np.testing.assert_allclose(ran[key], value, rtol=0, atol=1e-6)
            np.testing.assert_allclose(frozen[key], value, rtol=0, atol=1e-5)


def _outputs(model: Any, tensors: list[Any]) -> list[Any]:
    answer = model(tensors if len(tensors) > 1 else tensors[0], training=False)
    return list(answer) if isinstance(answer, list) else [answer]
