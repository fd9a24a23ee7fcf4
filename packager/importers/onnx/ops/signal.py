"""Fourier transforms as matrix products, and the mel filter bank."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.dtypes import tf_dtype
from packager.importers.onnx.node import Node
from packager.importers.onnx.registry import op
from packager.importers.onnx.values import Array, Tensor, static_shape


@op("DFT")
def dft_attribute(node: Node, x: Tensor, length: Tensor = None) -> Tensor:
    """Opset 17: the axis is an attribute (1)."""
    return _transform(node, x, length, node.attr("axis", 1))


@op("DFT", since=20)
def dft(node: Node, x: Tensor, length: Tensor = None, axis: Tensor = None) -> Tensor:
    """Discrete Fourier transform of `axis` (-2); the last axis holds real (and imaginary) parts."""
    return _transform(node, x, length, -2 if axis is None else node.ints(axis, 2)[0])


def _transform(node: Node, x: Tensor, length: Tensor, axis: int) -> Tensor:
    rank = len(x.shape)
    axis %= rank
    have = static_shape(x)[axis]
    if have is None:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    points = have if length is None else node.ints(length, 1)[0]
    inverse, onesided = bool(node.attr("inverse", 0)), bool(node.attr("onesided", 0))
    if inverse and onesided:
        return _inverse_real(x, axis, points)
    order = [*(i for i in range(rank - 1) if i != axis), axis, rank - 1]
    moved = _fit(tf.transpose(x, order), have, points)
    real, imaginary = _multiply(moved, *tables(points, inverse=inverse, onesided=onesided, dtype=x.dtype))
    y = tf.stack([real, imaginary], -1)
    return tf.transpose(y, np.argsort(order))


def _fit(x: Tensor, have: int, points: int) -> Tensor:
    """Cut or pad with zeros the last but one axis to the transform's length."""
    if points <= have:
        return x[..., :points, :]
    return tf.pad(x, [(0, 0)] * (len(x.shape) - 2) + [(0, points - have), (0, 0)])


def tables(points: int, *, inverse: bool, onesided: bool, dtype: Any) -> tuple[Array, Array]:
    """Return the cosine and (signed) sine matrix [points, bins] of a transform."""
    bins = points // 2 + 1 if onesided else points
    angle = 2 * np.pi * (np.outer(np.arange(points), np.arange(bins)) % points) / points
    scale = 1 / points if inverse else 1.0
    sign = 1.0 if inverse else -1.0
    kind = tf.as_dtype(dtype).as_numpy_dtype
    return (np.cos(angle) * scale).astype(kind), (np.sin(angle) * scale * sign).astype(kind)


def _multiply(x: Tensor, cosine: Array, sine: Array) -> tuple[Tensor, Tensor]:
    """Complex product of x [..., points, 1 or 2] with cosine + i sine."""
    real = x[..., 0]
    if static_shape(x)[-1] == 1:
        return _matmul(real, cosine), _matmul(real, sine)
    imaginary = x[..., 1]
    return (
        _matmul(real, cosine) - _matmul(imaginary, sine),
        _matmul(real, sine) + _matmul(imaginary, cosine),
    )


def _matmul(x: Tensor, table: Array) -> Tensor:
    return tf.matmul(x, table) if len(x.shape) > 1 else tf.linalg.matvec(table.T, x)


def _inverse_real(x: Tensor, axis: int, points: int) -> Tensor:
    """Real signal [..., 1] from a one-sided spectrum: the missing bins are the conjugates."""
    rank = len(x.shape)
    order = [*(i for i in range(rank - 1) if i != axis), axis, rank - 1]
    have = static_shape(x)[axis] or 0
    full = 2 * (have - 1) if points == have else points
    bins = full // 2 + 1
    moved = _fit(tf.transpose(x, order), have, bins)
    kind = tf.as_dtype(x.dtype).as_numpy_dtype
    angle = 2 * np.pi * (np.outer(np.arange(bins), np.arange(full)) % full) / full
    twice = np.full((bins, 1), 2.0)
    twice[0] = 1
    if full % 2 == 0:
        twice[-1] = 1
    cosine, sine = (np.cos(angle) * twice / full).astype(kind), (np.sin(angle) * twice / full).astype(kind)
    y = _matmul(moved[..., 0], cosine) - _matmul(moved[..., 1], sine)
    return tf.transpose(tf.expand_dims(y, -1), np.argsort(order))


@op("STFT")
def stft(node: Node, x: Tensor, step: Tensor, window: Tensor = None, length: Tensor = None) -> Tensor:
    """Fourier transforms of overlapping frames. x [B, samples, 1 or 2] -> [B, frames, bins, 2]."""
    samples = static_shape(x)[1]
    hop = node.ints(step, 1)[0]
    if samples is None:
        node.refuse("it needs fixed sizes: give the input's shape in the manifest (shapes)")
    size = node.ints(length, 3)[0] if length is not None else int(window.shape[0])
    count = (samples - size) // hop + 1
    places: Array = np.add.outer(np.arange(count) * hop, np.arange(size))
    x = tf.expand_dims(x, -1) if len(x.shape) == 2 else x
    frames = tf.gather(x, places.astype(np.int32), axis=1)
    cosine, sine = tables(size, inverse=False, onesided=bool(node.attr("onesided", 1)), dtype=x.dtype)
    if isinstance(window, np.ndarray):
        cosine, sine = cosine * window[:, None], sine * window[:, None]
    elif window is not None:
        frames = frames * tf.reshape(window, [-1, 1])
    return tf.stack(_multiply(frames, cosine, sine), -1)


@op("MelWeightMatrix")
def mel_weight_matrix(node: Node, bands: Tensor, length: Tensor, rate: Tensor, low: Tensor, high: Tensor) -> Array:
    """Triangular filters [bins, bands], equally spaced in mel = 2595 log10(1 + f / 700)."""
    count, points, samples = node.ints(bands, 0)[0], node.ints(length, 1)[0], node.ints(rate, 2)[0]
    edges = (float(node.constant(low, 3)), float(node.constant(high, 4)))
    first, last = (2595 * np.log10(1 + edge / 700) for edge in edges)
    mel = np.arange(count + 2) * ((last - first) / (count + 2)) + first
    hertz = 700 * (10 ** (mel / 2595) - 1)
    places = ((points + 1) * hertz // samples).astype(int)
    table = np.zeros((points // 2 + 1, count))
    for band in range(count):
        left, middle, right = places[band : band + 3]
        if middle == left:
            table[middle, band] = 1
        for place in range(left, middle + 1):
            if middle != left:
                table[place, band] = (place - left) / (middle - left)
        for place in range(middle, right):
            if right != middle:
                table[place, band] = (right - place) / (right - middle)
    kind = tf_dtype(node, node.attr("output_datatype", 1)).as_numpy_dtype
    return table.astype(kind)
