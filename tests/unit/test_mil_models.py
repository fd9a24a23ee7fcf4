"""Whole networks through coremltools' TensorFlow front end: the evaluator against TensorFlow itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mil_harness import normal

pytestmark = pytest.mark.heavy


def _mobile(layers: Any) -> tuple[Any, Any]:
    """Depthwise blocks, squeeze and excitation, relu6, hard swish, as the MobileNets have them."""
    x = entry = layers.Input([33, 32, 3])
    for stride, filters in ((2, 8), (1, 16), (2, 16)):
        x = layers.DepthwiseConv2D(3, stride, "same", depth_multiplier=2)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU(6.0)(x)
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(x.shape[-1], 1, activation="hard_sigmoid")(gate)
        x = layers.Conv2D(filters, 1, activation="swish")(x * gate)
    x = layers.AveragePooling2D(3, 2, "same")(x)
    return entry, layers.Dense(5, "softmax")(layers.Flatten()(x))


def _unet(layers: Any) -> tuple[Any, Any]:
    """Transposed convolution, both kinds of upsampling, skip connections, leaky and parametric ReLU."""
    entry = layers.Input([16, 12, 2])
    down = layers.LeakyReLU(0.2)(layers.Conv2D(6, 3, padding="same")(entry))
    x = layers.MaxPooling2D(3, 2, "same")(down)
    x = layers.PReLU(shared_axes=[1, 2], alpha_initializer="random_uniform")(
        layers.Conv2D(8, 3, dilation_rate=2, padding="same")(x)
    )
    up = layers.Conv2DTranspose(6, 4, 2, "same")(x)
    near, smooth = layers.UpSampling2D(2)(x), layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.Concatenate()([down, up, near, smooth])
    x = layers.Conv2D(1, 3, activation="tanh")(layers.ZeroPadding2D(((1, 0), (0, 2)))(x))
    return entry, layers.Cropping2D(((1, 0), (2, 1)))(x)


def _transformer(layers: Any) -> tuple[Any, Any]:
    """Attention, layer normalisation, pooling over time, and GELU by tanh (the front end lacks Erfc)."""
    import tensorflow as tf

    entry = layers.Input([7, 12])
    x = layers.Dense(16)(entry)
    x = layers.LayerNormalization()(x + layers.MultiHeadAttention(2, 8)(x, x))
    x = layers.LayerNormalization()(x + layers.Dense(16)(tf.nn.gelu(layers.Dense(32)(x), approximate=True)))
    return entry, layers.Dense(4, "sigmoid")(layers.GlobalMaxPooling1D()(x))


def _sequence(layers: Any) -> tuple[Any, Any]:
    """1-D convolution, and a recurrent layer written out step by step (the front end takes no loop of Keras')."""
    entry = layers.Input([9, 6], batch_size=1)
    x = layers.SeparableConv1D(8, 3, activation="elu")(entry)
    x = layers.Bidirectional(layers.LSTM(5, return_sequences=True, unroll=True))(x)
    return entry, layers.Dense(3, "softplus")(layers.Flatten()(x))


MODELS: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "mobile": _mobile,
    "unet": _unet,
    "transformer": _transformer,
    "sequence": _sequence,
}


def _frozen(build: Callable[[Any], tuple[Any, Any]]) -> tuple[Any, Any]:
    """The Keras model with its statistics moved off their start values, and its frozen graph."""
    import tensorflow as tf
    import tf_keras
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    tf_keras.utils.set_random_seed(1)
    model = tf_keras.Model(*build(tf_keras.layers))
    for layer in model.layers:
        if isinstance(layer, tf_keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma * 1.3, beta + 0.1, mean + 0.2, variance * 0.6])
    spec = tf.TensorSpec([1, *model.inputs[0].shape[1:]], tf.float32, name="x")
    function = tf.function(lambda x: model(x, training=False)).get_concrete_function(spec)
    return model, convert_variables_to_constants_v2(function)


@pytest.mark.parametrize("name", MODELS)
def test_network_agrees_with_tensorflow(name, tmp_path):
    import coremltools as ct

    from packager.runtimes.coreml.mil import MilProgram

    model, frozen = _frozen(MODELS[name])
    x = normal(1, *model.inputs[0].shape[1:], seed=3)
    want = model(x).numpy()
    span = float(np.ptp(want)) or 1.0
    for precision, half, tolerance in (("FLOAT32", False, 2e-5), ("FLOAT16", False, 5e-3), ("FLOAT16", True, 2e-2)):
        path = tmp_path / f"{precision}-{half}.mlpackage"
        ct.convert(
            [frozen], source="tensorflow", convert_to="mlprogram", compute_precision=getattr(ct.precision, precision)
        ).save(str(path))
        program = MilProgram.load(path)
        assert program.unsupported() == []
        (got,) = program.predict({program.inputs[0].name: x}, half=half).values()
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, want, atol=tolerance * max(span, float(np.abs(want).max())))


def test_predict_is_repeatable_and_leaves_the_feed_alone(tmp_path):
    import coremltools as ct

    from packager.runtimes.coreml.mil import MilProgram

    _, frozen = _frozen(_mobile)
    path = tmp_path / "m.mlpackage"
    ct.convert([frozen], source="tensorflow", convert_to="mlprogram").save(str(path))
    program = MilProgram.load(path)
    x = normal(1, 33, 32, 3, seed=3)
    kept = x.copy()
    first = program.predict({program.inputs[0].name: x}, half=True)
    second = program.predict({program.inputs[0].name: x}, half=True)
    np.testing.assert_array_equal(x, kept)
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name])
