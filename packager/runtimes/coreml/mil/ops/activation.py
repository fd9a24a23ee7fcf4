"""Activations. Each is elementwise and keeps shape and dtype, but for softmax and the per-channel ones."""

from __future__ import annotations

import numpy as np
from scipy.special import erf as _erf
from scipy.special import expit

from packager.runtimes.coreml.mil.registry import Array, op

_GELU_CUBIC = 0.044715
_GELU_SIGMOID = 1.702


@op("relu", keeps_values=True)
def relu(x: Array) -> Array:
    """x f[*] -> max(x, 0). MIL iOS15 `relu`."""
    return np.maximum(x, 0)


@op("relu6", keeps_values=True)
def relu6(x: Array) -> Array:
    """x f[*] -> min(max(x, 0), 6). MIL iOS15 `relu6`."""
    return np.clip(x, 0, 6)


@op("clamped_relu")
def clamped_relu(x: Array, alpha: float, beta: float) -> Array:
    """x f[*] -> min(beta, x) where x >= 0, else min(beta, alpha * x). MIL iOS15 `clamped_relu`."""
    return np.minimum(np.where(x >= 0, x, alpha * x), beta)


@op("leaky_relu")
def leaky_relu(x: Array, alpha: float) -> Array:
    """x f[*] -> x where x >= 0, else alpha * x. MIL iOS15 `leaky_relu`."""
    return np.where(x >= 0, x, alpha * x)


@op("thresholded_relu")
def thresholded_relu(x: Array, alpha: float) -> Array:
    """x f[*] -> x where x >= alpha, else 0. MIL iOS15 `thresholded_relu`."""
    return np.where(x >= alpha, x, np.zeros_like(x))


@op("elu")
def elu(x: Array, alpha: float) -> Array:
    """x f[*] -> x where x > 0, else alpha * (e^x - 1). MIL iOS15 `elu`."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


@op("prelu")
def prelu(x: Array, alpha: Array) -> Array:
    """x f[b, c, *d], alpha f[c] -> x where x > 0, else alpha of the channel * x. MIL iOS15 `prelu`."""
    return np.where(x > 0, x, _per_channel(alpha, x) * x)


@op("gelu")
def gelu(x: Array, mode: str = "EXACT") -> Array:
    """x f[*] -> Gaussian error linear unit, exact or one of two approximations. MIL iOS15 `gelu`."""
    if mode == "EXACT":
        return 0.5 * x * (1 + _erf(x * np.float32(np.sqrt(0.5))))
    if mode == "TANH_APPROXIMATION":
        return 0.5 * x * (1 + np.tanh(np.float32(np.sqrt(2 / np.pi)) * (x + _GELU_CUBIC * x * x * x)))
    if mode == "SIGMOID_APPROXIMATION":
        return x * expit(_GELU_SIGMOID * x)
    raise ValueError(f"unknown mode {mode!r}")


@op("sigmoid")
def sigmoid(x: Array) -> Array:
    """x f[*] -> 1 / (1 + e^-x). MIL iOS15 `sigmoid`."""
    return np.asarray(expit(x))


@op("sigmoid_hard")
def sigmoid_hard(x: Array, alpha: float, beta: float) -> Array:
    """x f[*] -> min(max(alpha * x + beta, 0), 1). MIL iOS15 `sigmoid_hard`."""
    return np.clip(alpha * x + beta, 0, 1)


@op("silu")
def silu(x: Array) -> Array:
    """x f[*] -> x * sigmoid(x). MIL iOS15 `silu`."""
    return x * expit(x)


@op("scaled_tanh")
def scaled_tanh(x: Array, alpha: float, beta: float) -> Array:
    """x f[*] -> alpha * tanh(beta * x). MIL iOS15 `scaled_tanh`."""
    return alpha * np.tanh(beta * x)


@op("linear_activation")
def linear_activation(x: Array, alpha: float, beta: float) -> Array:
    """x f[*] -> alpha * x + beta. MIL iOS15 `linear_activation`."""
    return alpha * x + beta


@op("softplus")
def softplus(x: Array) -> Array:
    """x f[*] -> log(1 + e^x), without overflow. MIL iOS15 `softplus`."""
    return np.logaddexp(x, np.zeros_like(x))


@op("softplus_parametric")
def softplus_parametric(x: Array, alpha: Array, beta: Array) -> Array:
    """x f[b, c, *d], alpha and beta f[c] -> alpha * log(1 + e^(beta * x)). MIL iOS15 `softplus_parametric`."""
    return _per_channel(alpha, x) * softplus(_per_channel(beta, x) * x)


@op("softsign")
def softsign(x: Array) -> Array:
    """x f[*] -> x / (1 + |x|). MIL iOS15 `softsign`."""
    return x / (1 + np.abs(x))


@op("softmax")
def softmax(x: Array, axis: int = -1) -> Array:
    """x f[*] -> e^x / sum(e^x) along `axis`, shifted by the maximum. MIL iOS15 `softmax`."""
    exponentials = np.exp(x - x.max(axis=int(axis), keepdims=True))
    return exponentials / exponentials.sum(axis=int(axis), keepdims=True)


def _per_channel(values: Array, x: Array) -> Array:
    return values.reshape((-1,) + (1,) * (x.ndim - 2))
