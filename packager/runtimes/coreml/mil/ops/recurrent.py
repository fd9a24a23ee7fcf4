"""Recurrent layers (MIL ops rnn, gru, lstm). Sequences are [steps, batch, features]."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from packager.runtimes.coreml.mil.registry import Array, op

Activation = Callable[[Array], Array]

# Core ML's recurrent layers take the activations with their default parameters.
_ACTIVATIONS: dict[str, Activation] = {
    "tanh": np.tanh,
    "scaled_tanh": np.tanh,
    "sigmoid": expit,
    "hard_sigmoid": lambda x: np.clip(np.float32(0.2) * x + np.float32(0.5), 0, 1),
    "sigmoid_hard": lambda x: np.clip(np.float32(0.2) * x + np.float32(0.5), 0, 1),
    "relu": lambda x: np.maximum(x, 0),
    "linear": lambda x: x,
}


def _activation(name: str) -> Activation:
    if name.lower() not in _ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}")
    return _ACTIVATIONS[name.lower()]


def _steps(x: Array, direction: str) -> Iterable[Array]:
    """The steps in the order in which they are processed; the outputs stay in this order."""
    if direction not in ("forward", "reverse"):
        raise ValueError(f"unknown direction {direction!r}")
    return x[::-1] if direction == "reverse" else x


def _output(states: list[Array], output_sequence: bool) -> Array:
    return np.stack(states if output_sequence else states[-1:])


@op("rnn")
def rnn(
    x: Array,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    *,
    direction: str = "forward",
    output_sequence: bool = False,
    activation: str = "tanh",
) -> tuple[Array, Array]:
    """x f[s, b, i], initial_h f[b, h] -> f[s or 1, b, h], last state f[b, h]. MIL iOS15 `rnn`."""
    act, h, states = _activation(activation), initial_h, []
    for step in _steps(x, direction):
        z = step @ weight_ih.T + h @ weight_hh.T
        h = act(z if bias is None else z + bias)
        states.append(h)
    return _output(states, output_sequence), h


@op("gru")
def gru(
    x: Array,
    initial_h: Array,
    weight_ih: Array,
    weight_hh: Array,
    bias: Array | None = None,
    *,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    activation: str = "tanh",
    reset_after: bool = False,
    input_bias: Array | None = None,
) -> tuple[Array, Array]:
    """x f[s, b, i], initial_h f[b, h], gates stacked reset, output, update -> f[s or 1, b, h], f[b, h].

    MIL iOS18 `gru`. Core ML applies the reset gate to the state before the matrix product, whatever the formula
    in the op's documentation says: its own tests compare with that. `reset_after` applies it to the product and
    the recurrent bias, where `bias` is the recurrent one and `input_bias` that of the input.
    """
    gate, act, h, states = _activation(recurrent_activation), _activation(activation), initial_h, []
    size = initial_h.shape[-1]
    reset, out, update = (slice(i * size, (i + 1) * size) for i in range(3))
    zeros = np.zeros(3 * size, np.float32)
    recurrent = zeros if bias is None else bias
    given = zeros if input_bias is None else input_bias
    for step in _steps(x, direction):
        wx = step @ weight_ih.T + given
        r = gate(wx[:, reset] + h @ weight_hh[reset].T + recurrent[reset])
        z = gate(wx[:, update] + h @ weight_hh[update].T + recurrent[update])
        if reset_after:
            o = act(wx[:, out] + r * (h @ weight_hh[out].T + recurrent[out]))
        else:
            o = act(wx[:, out] + (r * h) @ weight_hh[out].T + recurrent[out])
        h = (1 - z) * o + z * h
        states.append(h)
    return _output(states, output_sequence), h


@dataclass(frozen=True)
class _Cell:
    """What one direction of an LSTM needs besides its input and state."""

    weight_ih: Array
    weight_hh: Array
    bias: Array | None
    peephole: Array | None
    gate: Activation
    candidate: Activation
    output: Activation
    clip: float | None

    def step(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """The next (h, c). Gates are stacked input, forget, output, candidate."""
        size = h.shape[-1]
        z = x @ self.weight_ih.T + h @ self.weight_hh.T
        z = z if self.bias is None else z + self.bias
        i, f, o, g = (z[:, n * size : (n + 1) * size] for n in range(4))
        p_i, p_f, p_o = (0, 0, 0) if self.peephole is None else np.split(self.peephole, 3)
        c = self.gate(f + p_f * c) * c + self.gate(i + p_i * c) * self.candidate(g)
        if self.clip is not None:
            c = np.clip(c, -self.clip, self.clip)
        return self.gate(o + p_o * c) * self.output(c), c

    def run(self, steps: Iterable[Array], h: Array, c: Array) -> tuple[list[Array], Array, Array]:
        """The state after each step, and the last h and c."""
        states = []
        for step in steps:
            h, c = self.step(step, h, c)
            states.append(h)
        return states, h, c


@op("lstm")
def lstm(
    x: Array,
    initial_h: Array,
    initial_c: Array,
    weight_ih: Array,
    weight_hh: Array,
    *,
    bias: Array | None = None,
    peephole: Array | None = None,
    weight_ih_back: Array | None = None,
    weight_hh_back: Array | None = None,
    bias_back: Array | None = None,
    peephole_back: Array | None = None,
    direction: str = "forward",
    output_sequence: bool = False,
    recurrent_activation: str = "sigmoid",
    cell_activation: str = "tanh",
    activation: str = "tanh",
    clip: float | None = None,
) -> tuple[Array, Array, Array]:
    """x f[s, b, i], initial states f[b, d * h] -> f[s or 1, b, d * h], last h and c f[b, d * h].

    MIL iOS15 `lstm`; d = 2 if bidirectional, forward first, and then the outputs of both stand at their step.
    Of one direction, reverse, the outputs stay in the order of processing. `clip` bounds the cell state.
    """
    acts = (_activation(recurrent_activation), _activation(cell_activation), _activation(activation))
    limit = None if clip is None else float(clip)
    forward = _Cell(weight_ih, weight_hh, bias, peephole, *acts, limit)
    if direction != "bidirectional":
        states, h, c = forward.run(_steps(x, direction), initial_h, initial_c)
        return _output(states, output_sequence), h, c
    if weight_ih_back is None or weight_hh_back is None:
        raise ValueError("bidirectional without weights for the way back")
    backward = _Cell(weight_ih_back, weight_hh_back, bias_back, peephole_back, *acts, limit)
    size = initial_h.shape[-1] // 2
    there, h, c = forward.run(x, initial_h[:, :size], initial_c[:, :size])
    back, h_back, c_back = backward.run(x[::-1], initial_h[:, size:], initial_c[:, size:])
    if output_sequence:
        back = back[::-1]
    y = np.concatenate([_output(there, output_sequence), _output(back, output_sequence)], axis=-1)
    return y, np.concatenate([h, h_back], axis=-1), np.concatenate([c, c_back], axis=-1)
