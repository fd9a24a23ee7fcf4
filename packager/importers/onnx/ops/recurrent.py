"""RNN, GRU and LSTM: unrolled where the number of steps is fixed and small, else a while loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from packager.importers.onnx.node import Node
from packager.importers.onnx.ops import activation
from packager.importers.onnx.registry import op
from packager.importers.onnx.values import Tensor, static_shape

UNROLLED_STEPS = 128
States = tuple[Tensor, ...]
Step = Callable[[Tensor, States], States]
_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
    "softsign": lambda x: x / (1 + tf.abs(x)),
    "softplus": lambda x: tf.nn.relu(x) + tf.math.log(1 + tf.exp(-tf.abs(x))),
}
_PARAMETRIC: dict[str, Callable[[Tensor, float, float], Tensor]] = {
    "affine": lambda x, a, b: a * x + b,
    "leakyrelu": lambda x, a, _: tf.nn.leaky_relu(x, a),
    "thresholdedrelu": lambda x, a, _: tf.where(x > a, x, tf.zeros([], x.dtype)),
    "scaledtanh": lambda x, a, b: a * tf.tanh(b * x),
    "hardsigmoid": lambda x, a, b: tf.clip_by_value(a * x + b, 0.0, 1.0),
    "elu": lambda x, a, _: tf.nn.relu(x) + a * tf.nn.elu(-tf.nn.relu(-x)),
}
_DEFAULTS = {
    "affine": (1.0, 0.0),
    "leakyrelu": (0.01, 0.0),
    "thresholdedrelu": (1.0, 0.0),
    "scaledtanh": (1.0, 1.0),
    "hardsigmoid": (0.2, 0.5),
    "elu": (1.0, 0.0),
}


@dataclass(frozen=True)
class Direction:
    """Weights of one direction, transposed for x W and h R, and its activations."""

    w: Tensor
    r: Tensor
    wb: Tensor
    rb: Tensor
    peep: Tensor
    act: list[Callable[[Tensor], Tensor]]
    backwards: bool


@op("RNN")
def rnn(
    node: Node, x: Tensor, w: Tensor, r: Tensor, b: Tensor = None, lengths: Tensor = None, h: Tensor = None
) -> tuple[Tensor, ...]:
    """h = f(x W + h R + b). Outputs: all h, last h."""
    return _run(node, 1, x, (w, r, b, None), lengths, [h], _rnn_step)


@op("GRU")
def gru(
    node: Node, x: Tensor, w: Tensor, r: Tensor, b: Tensor = None, lengths: Tensor = None, h: Tensor = None
) -> tuple[Tensor, ...]:
    """Gated recurrent unit, gates z, r, h. Outputs: all h, last h."""
    return _run(node, 3, x, (w, r, b, None), lengths, [h], _gru_step)


@op("LSTM")
def lstm(
    node: Node,
    x: Tensor,
    w: Tensor,
    r: Tensor,
    b: Tensor = None,
    lengths: Tensor = None,
    h: Tensor = None,
    c: Tensor = None,
    peep: Tensor = None,
) -> tuple[Tensor, ...]:
    """Long short-term memory, gates i, o, f, c, optional peepholes. Outputs: all h, last h, last c."""
    return _run(node, 4, x, (w, r, b, peep), lengths, [h, c], _lstm_step)


def _rnn_step(node: Node, way: Direction) -> Step:
    def step(x: Tensor, states: States) -> States:
        total = _clip(node, x + tf.matmul(states[0], way.r) + way.rb)
        return (way.act[0](total),)

    return step


def _gru_step(node: Node, way: Direction) -> Step:
    """Gates z and r together; `linear_before_reset` applies r after the product with R."""
    hidden = static_shape(way.r)[0] or 0
    rzr, rh = way.r[:, : 2 * hidden], way.r[:, 2 * hidden :]
    bzr, bh = way.rb[: 2 * hidden], way.rb[2 * hidden :]
    before = node.attr("linear_before_reset", 0)

    def step(x: Tensor, states: States) -> States:
        h = states[0]
        gates = way.act[0](_clip(node, x[:, : 2 * hidden] + tf.matmul(h, rzr) + bzr))
        z, r = gates[:, :hidden], gates[:, hidden:]
        inner = r * (tf.matmul(h, rh) + bh) if before else tf.matmul(r * h, rh) + bh
        new = way.act[1](_clip(node, x[:, 2 * hidden :] + inner))
        return ((1 - z) * new + z * h,)

    return step


def _lstm_step(node: Node, way: Direction) -> Step:
    hidden = static_shape(way.r)[0] or 0
    sigma, squash, out = way.act
    peep = None if way.peep is None else [way.peep[i * hidden : (i + 1) * hidden] for i in range(3)]

    def step(x: Tensor, states: States) -> States:
        h, c = states
        total = x + tf.matmul(h, way.r) + way.rb
        i, o, f, g = (total[:, k * hidden : (k + 1) * hidden] for k in range(4))
        if peep is not None:
            i, f = i + peep[0] * c, f + peep[2] * c
        i = sigma(_clip(node, i))
        f = 1 - i if node.attr("input_forget", 0) else sigma(_clip(node, f))
        c = f * c + i * squash(_clip(node, g))
        o = sigma(_clip(node, o if peep is None else o + peep[1] * c))
        return o * out(c), c

    return step


def _run(
    node: Node,
    gates: int,
    x: Tensor,
    parameters: tuple[Tensor, ...],
    lengths: Tensor,
    initial: list[Tensor],
    make: Callable[[Node, Direction], Step],
) -> tuple[Tensor, ...]:
    """Run each direction and join: Y [T, D, B, H], Y_h [D, B, H] (batch first with layout 1)."""
    batch_first = node.attr("layout", 0)
    if batch_first:
        x = tf.transpose(x, [1, 0, 2])
        initial = [None if state is None else tf.transpose(state, [1, 0, 2]) for state in initial]
    directions = _directions(node, gates, parameters)
    hidden = static_shape(directions[0].r)[0]
    batch = tf.shape(x)[1] if static_shape(x)[1] is None else static_shape(x)[1]
    if isinstance(lengths, np.ndarray) and (lengths == static_shape(x)[0]).all():
        lengths = None
    sequences, finals = [], []
    for number, way in enumerate(directions):
        states = tuple(
            tf.zeros([batch, hidden], x.dtype) if state is None else tf.convert_to_tensor(state[number])
            for state in initial
        )
        sequence, final = _one_way(way, make(node, way), x, states, lengths)
        sequences.append(sequence)
        finals.append(final)
    y = tf.stack(sequences, 1)
    last = [tf.stack([final[k] for final in finals]) for k in range(len(initial))]
    if batch_first:
        return tf.transpose(y, [2, 0, 1, 3]), *(tf.transpose(state, [1, 0, 2]) for state in last)
    return y, *last


def _directions(node: Node, gates: int, parameters: tuple[Tensor, ...]) -> list[Direction]:
    w, r, b, peep = parameters
    kind = node.attr("direction", "forward")
    count = 2 if kind == "bidirectional" else 1
    functions = _activations(node, {1: ["Tanh"], 3: ["Sigmoid", "Tanh"], 4: ["Sigmoid", "Tanh", "Tanh"]}[gates], count)
    each = len(functions) // count
    result = []
    for number in range(count):
        rows = static_shape(w)[1] or 0
        zeros = np.zeros(rows, tf.as_dtype(w.dtype).as_numpy_dtype)
        wb, rb = (zeros, zeros) if b is None else (b[number][:rows], b[number][rows:])
        gated = bool(node.attr("linear_before_reset", 0)) and gates == 3
        if not gated:
            wb, rb = wb + rb, zeros
        result.append(
            Direction(
                _turned(w[number]),
                _turned(r[number]),
                wb,
                rb,
                None if peep is None else peep[number],
                functions[number * each : (number + 1) * each],
                kind == "reverse" or number == 1,
            )
        )
    return result


def _turned(matrix: Tensor) -> Tensor:
    return np.ascontiguousarray(matrix.T) if isinstance(matrix, np.ndarray) else tf.transpose(matrix)


def _activations(node: Node, default: list[str], count: int) -> list[Callable[[Tensor], Tensor]]:
    names = [name.lower() for name in node.attr("activations", default * count)]
    alphas, betas = iter(node.attr("activation_alpha", [0.0][:0])), iter(node.attr("activation_beta", [0.0][:0]))
    result: list[Callable[[Tensor], Tensor]] = []
    for name in names:
        if name in _ACTIVATIONS:
            result.append(_ACTIVATIONS[name])
        elif name in _PARAMETRIC:
            alpha, beta = _DEFAULTS[name]
            alpha = next(alphas, alpha)
            beta = next(betas, beta) if name in ("affine", "scaledtanh", "hardsigmoid") else beta
            result.append(lambda x, f=_PARAMETRIC[name], a=alpha, b=beta: f(x, a, b))  # type: ignore[misc]
        else:
            node.refuse(f"activation {name}")
    return result


def _clip(node: Node, x: Tensor) -> Tensor:
    if not node.has("clip"):
        return x
    bound = activation.scalar(node.attr("clip", 0.0), x)
    return tf.clip_by_value(x, -bound, bound)


def _one_way(way: Direction, step: Step, x: Tensor, states: States, lengths: Tensor) -> tuple[Tensor, States]:
    """Return all hidden states [T, B, H] and the last states; beyond a sequence's length h is 0."""
    x = _flip(x, lengths) if way.backwards else x
    steps, _, features = static_shape(x)
    rows = tf.matmul(tf.reshape(x, [-1, features]), way.w) + way.wb
    columns = static_shape(way.w)[1]
    shape = [steps or tf.shape(x)[0], tf.shape(x)[1] if static_shape(x)[1] is None else static_shape(x)[1], columns]
    projected = tf.reshape(rows, shape)
    limits = None if lengths is None else tf.cast(tf.reshape(lengths, [-1, 1]), tf.int32)

    def guarded(t: Any, row: Tensor, now: States) -> tuple[Tensor, States]:
        new = step(row, now)
        if limits is None:
            return new[0], new
        alive = tf.less(t, limits)
        kept = tuple(tf.where(alive, a, b) for a, b in zip(new, now, strict=True))
        return tf.where(alive, new[0], tf.zeros_like(new[0])), kept

    run = _unrolled if steps is not None and steps <= UNROLLED_STEPS else _looped
    y, last = run(guarded, projected, states)
    return (_flip(y, lengths) if way.backwards else y), last


def _flip(x: Tensor, lengths: Tensor) -> Tensor:
    if lengths is None:
        return tf.reverse(x, [0])
    return tf.reverse_sequence(x, lengths, seq_axis=0, batch_axis=1)


def _unrolled(guarded: Callable[..., Any], rows: Tensor, states: States) -> tuple[Tensor, States]:
    outputs = []
    for t, row in enumerate(tf.unstack(rows, axis=0)):
        y, states = guarded(t, row, states)
        outputs.append(y)
    return tf.stack(outputs), states


def _looped(guarded: Callable[..., Any], rows: Tensor, states: States) -> tuple[Tensor, States]:
    total = tf.shape(rows)[0]
    outputs = tf.TensorArray(states[0].dtype, total, element_shape=states[0].shape)

    def body(t: Tensor, out: Any, *now: Tensor) -> tuple[Any, ...]:
        y, new = guarded(t, rows[t], now)
        return t + 1, out.write(t, y), *new

    done = tf.while_loop(lambda t, *_: t < total, body, (tf.constant(0), outputs, *states))
    y = done[1].stack()
    y.set_shape([rows.shape[0], *states[0].shape])
    return y, tuple(done[2:])
