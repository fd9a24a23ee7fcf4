"""Recurrent layers of the Core ML evaluator against ONNX Runtime."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from mil_harness import Case, check, load, normal, ort

pytestmark = pytest.mark.heavy


def _mb():
    from coremltools.converters.mil import Builder

    return Builder


STEPS, BATCH, IN, H = 5, 3, 4, 2
SEQ = normal(STEPS, BATCH, IN, seed=20)


def _weights(gates, directions, seed):
    scale = np.float32(0.7)
    return [normal(directions, gates * H, n, seed=seed + i) * scale for i, n in enumerate((IN, H))] + [
        normal(directions, gates * H, seed=seed + 3)
    ]


def _states(directions, seed):
    return normal(directions, BATCH, H, seed=seed) * np.float32(0.5)


def _reorder(v, order):
    """Gates from ONNX's order into MIL's."""
    parts = np.split(v, len(order), axis=1)
    return np.concatenate([parts[i] for i in order], axis=1)


def _onnx_sequence(op, inputs, direction, sequence, **attributes):
    """ONNX's outputs the way Core ML hands them out: [steps, b, d * h], reverse in the order of processing."""
    count = 3 if op == "LSTM" else 2
    y, *last = ort(op, inputs, outputs=count, hidden_size=H, direction=direction, **attributes)
    joined = [np.concatenate(list(v), axis=-1) for v in last]
    if not sequence:
        return [joined[0][np.newaxis], *joined]
    y = np.concatenate([y[:, d] for d in range(y.shape[1])], axis=-1)
    return [y[::-1] if direction == "reverse" else y, *joined]


def _lstm(name, direction, *, sequence=True, acts=("sigmoid", "tanh", "tanh"), peephole=False, clip=None, bias=True):
    d = 2 if direction == "bidirectional" else 1
    w, r, b = _weights(4, d, 21)
    h, c, p = _states(d, 30), _states(d, 31), normal(d, 3 * H, seed=32)
    order = (0, 2, 1, 3)  # ONNX: input, output, forget, cell
    wm, rm, bm = (_reorder(v, order) for v in (w, r, b))
    pm = _reorder(p, (0, 2, 1))
    options = {
        "direction": direction,
        "output_sequence": sequence,
        "weight_ih": wm[0],
        "weight_hh": rm[0],
        "recurrent_activation": acts[0],
        "cell_activation": acts[1],
        "activation": acts[2],
    }
    options |= {"bias": bm[0]} if bias else {}
    options |= {"peephole": pm[0]} if peephole else {}
    if d == 2:
        options |= (
            {"weight_ih_back": wm[1], "weight_hh_back": rm[1]}
            | ({"bias_back": bm[1]} if bias else {})
            | ({"peephole_back": pm[1]} if peephole else {})
        )
    joined_h, joined_c = (np.concatenate(list(v), axis=-1) for v in (h, c))
    onnx_names = {
        "sigmoid": "Sigmoid",
        "tanh": "Tanh",
        "scaled_tanh": "Tanh",
        "relu": "Relu",
        "hard_sigmoid": "HardSigmoid",
        "linear": "Affine",
    }
    both = np.concatenate([b, np.zeros_like(b)], axis=1) if bias else None
    names = [onnx_names[a] for a in acts] * d
    parameters = {
        "activations": names,
        "activation_alpha": [0.2 if n == "HardSigmoid" else 1.0 for n in names],
        "activation_beta": [0.5 if n == "HardSigmoid" else 0.0 for n in names],
    }
    return Case(
        "lstm",
        name,
        {"x": SEQ, "h": joined_h, "c": joined_c},
        lambda x, h, c: list(_mb().lstm(x=x, initial_h=h, initial_c=c, **options)),
        lambda: _onnx_sequence(
            "LSTM", [SEQ, w, r, both, None, h, c, p if peephole else None], direction, sequence, **parameters
        ),
        atol=1e-5,
    )


def _gru(name, direction, *, sequence=True, acts=("sigmoid", "tanh"), after=False):
    w, r, b = _weights(3, 1, 41)
    h, rb = _states(1, 50), normal(1, 3 * H, seed=51)
    order = (1, 2, 0)  # ONNX: update, reset, hidden
    options = {
        "direction": direction,
        "output_sequence": sequence,
        "weight_ih": _reorder(w, order)[0],
        "weight_hh": _reorder(r, order)[0],
        "recurrent_activation": acts[0],
        "activation": acts[1],
    }
    if after:
        options |= {"bias": _reorder(rb, order)[0], "input_bias": _reorder(b, order)[0], "reset_after": True}
    else:
        options |= {"bias": _reorder(b, order)[0]}
    both = np.concatenate([b, rb if after else np.zeros_like(b)], axis=1)
    names = [{"sigmoid": "Sigmoid", "tanh": "Tanh"}[a] for a in acts]
    return Case(
        "gru",
        name,
        {"x": SEQ, "h": h[0]},
        lambda x, h: list(_mb().gru(x=x, initial_h=h, **options)),
        lambda: _onnx_sequence(
            "GRU", [SEQ, w, r, both, None, h], direction, sequence, activations=names, linear_before_reset=int(after)
        ),
        "iOS18" if after else "iOS15",
        1e-5,
    )


def _rnn(name, direction, sequence, act):
    w, r, b = _weights(1, 1, 61)
    h = _states(1, 70)
    options = {
        "direction": direction,
        "output_sequence": sequence,
        "weight_ih": w[0],
        "weight_hh": r[0],
        "bias": b[0],
        "activation": act,
    }
    return Case(
        "rnn",
        name,
        {"x": SEQ, "h": h[0]},
        lambda x, h: list(_mb().rnn(x=x, initial_h=h, **options)),
        lambda: _onnx_sequence(
            "RNN",
            [SEQ, w, r, np.concatenate([b, np.zeros_like(b)], axis=1), None, h],
            direction,
            sequence,
            activations=[{"tanh": "Tanh", "relu": "Relu"}[act]],
        ),
        atol=1e-5,
    )


RECURRENT = [
    *(
        _lstm(f"{d}-{s}", d, sequence=s)
        for d, s in itertools.product(("forward", "reverse", "bidirectional"), (True, False))
    ),
    _lstm("no-bias", "bidirectional", bias=False),
    _lstm("activations", "forward", acts=("hard_sigmoid", "linear", "relu")),
    _lstm("scaled-tanh", "bidirectional", acts=("sigmoid", "scaled_tanh", "scaled_tanh")),
    *(_lstm(f"peephole-{d}", d, peephole=True) for d in ("forward", "bidirectional")),
    *(_gru(f"{d}-{s}", d, sequence=s) for d, s in itertools.product(("forward", "reverse"), (True, False))),
    _gru("activations", "forward", acts=("tanh", "sigmoid")),
    _gru("reset-after", "forward", after=True),
    *(
        _rnn(f"{d}-{a}", d, s, a)
        for d, s, a in (("forward", True, "tanh"), ("reverse", True, "relu"), ("reverse", False, "tanh"))
    ),
]

CASES = RECURRENT


@pytest.mark.parametrize("case", CASES, ids=str)
def test_agrees_with_reference(case):
    check(case)


def test_lstm_clips_the_cell_state():
    """A cell that would grow by 1 a step stays at the bound; h = sigmoid(30) * tanh(0.25)."""
    zero, big = np.zeros((4, 1), np.float32), np.array([30, 30, 30, 30], np.float32)

    def build(x):
        return list(
            _mb().lstm(
                x=x,
                initial_h=np.zeros((1, 1), np.float32),
                initial_c=np.zeros((1, 1), np.float32),
                weight_ih=zero,
                weight_hh=zero,
                bias=big,
                clip=np.float32(0.25),
            )
        )

    x = {"x": np.ones((3, 1, 1), np.float32)}
    _, h, c = load(x, build).predict(x).values()
    np.testing.assert_allclose([h.item(), c.item()], [np.tanh(0.25), 0.25], rtol=1e-6)
