"""RNN, GRU and LSTM against onnxruntime: directions, states, lengths, variants; unrolled and as a loop."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper
from onnx_importer_tools import assert_equal_to_onnxruntime, by_onnxruntime, by_tflite, error, model_of

pytestmark = pytest.mark.heavy
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def recurrent(
    op: str, direction: str, steps: int = 5, lengths: list[int] | None = None, peep: bool = False, **attributes
):
    rng = np.random.default_rng(1)
    ways, gates, hidden, width, batch = 2 if direction == "bidirectional" else 1, GATES[op], 6, 4, 3

    def array(*shape: int) -> np.ndarray:
        return rng.normal(0, 0.6, shape).astype(np.float32)

    feeds = {"x": array(steps, batch, width), "h": array(ways, batch, hidden)}
    constants = {
        "w": array(ways, gates * hidden, width),
        "r": array(ways, gates * hidden, hidden),
        "b": array(ways, 2 * gates * hidden),
    }
    names = ["x", "w", "r", "b", "", "h"]
    outputs = ["y", "y_h"]
    if lengths:
        constants["lengths"] = np.array(lengths, np.int32)
        names[4] = "lengths"
    if op == "LSTM":
        feeds["c"] = array(ways, batch, hidden)
        names.append("c")
        outputs.append("y_c")
        if peep:
            constants["p"] = array(ways, 3 * hidden)
            names.append("p")
    node = helper.make_node(op, names, outputs, hidden_size=hidden, direction=direction, **attributes)
    return model_of([node], feeds, outputs, constants, opset=14), feeds


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("lengths", [None, [5, 5, 5], [5, 2, 3]])
@pytest.mark.parametrize("op", list(GATES))
def test_directions_states_and_lengths(op, direction, lengths):
    assert_equal_to_onnxruntime(*recurrent(op, direction, lengths=lengths))


@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_gru_linear_before_reset(direction):
    assert_equal_to_onnxruntime(*recurrent("GRU", direction, linear_before_reset=1))


def test_lstm_peepholes():
    assert_equal_to_onnxruntime(*recurrent("LSTM", "bidirectional", peep=True))


def test_lstm_clip():
    assert_equal_to_onnxruntime(*recurrent("LSTM", "forward", clip=0.4))


@pytest.mark.parametrize(
    "activations",
    [["Sigmoid", "Tanh", "Relu"], ["HardSigmoid", "Softsign", "Tanh"], ["Sigmoid", "ScaledTanh", "Softplus"]],
)
def test_lstm_activations(activations):
    extra = {"activation_alpha": [0.5], "activation_beta": [0.7]} if "ScaledTanh" in activations else {}
    assert_equal_to_onnxruntime(*recurrent("LSTM", "forward", activations=activations, **extra))


@pytest.mark.parametrize("lengths", [None, [200, 3, 150]])
@pytest.mark.parametrize("op", list(GATES))
def test_long_sequences_loop(op, lengths):
    assert_equal_to_onnxruntime(*recurrent(op, "bidirectional", steps=200, lengths=lengths))


@pytest.mark.parametrize("steps", [5, 200])
@pytest.mark.parametrize("op", ["GRU", "LSTM"])
def test_states_survive_tflite(op, steps):
    model, feeds = recurrent(op, "bidirectional", steps=steps)
    got, _, names = by_tflite(model, feeds)
    assert names == [output.name for output in model.graph.output]
    for one, other in zip(got, by_onnxruntime(model, feeds), strict=True):
        assert error(one, other) < 1e-5
