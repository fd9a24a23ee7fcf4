"""A streaming network in every format: states as inputs and outputs, a scalar, an integer, a batch of two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sources_tools import convert_and_run, distance, entry, write_feeds

from packager.core.samples import Arrays, read_samples
from packager.registry import Catalog

pytestmark = pytest.mark.heavy
CATALOG = Catalog()
BATCH, FRAME, UNITS = 2, 6, 4


def write_streaming(path: Path, gain: tuple[int, ...] = ()) -> Path:
    """`frame` [1, batch, 6] through an LSTM whose states `hidden` and `cell` come in and go out, times the scalar
    `gain`, plus the row `channel` of a table. The batch is free.
    """
    generator = np.random.default_rng(7)
    constants = {
        "w": generator.normal(0, 0.5, (1, 4 * UNITS, FRAME)),
        "r": generator.normal(0, 0.5, (1, 4 * UNITS, UNITS)),
        "table": generator.normal(0, 1, (5, UNITS)),
        "axis": np.array([0], np.int64),
    }
    nodes = [
        helper.make_node(
            "LSTM",
            ["frame", "w", "r", "", "", "hidden", "cell"],
            ["all", "next.hidden", "next.cell"],
            hidden_size=UNITS,
        ),
        helper.make_node("Squeeze", ["next.hidden", "axis"], ["last"]),
        helper.make_node("Mul", ["last", "gain"], ["louder"]),
        helper.make_node("Gather", ["table", "channel"], ["row"]),
        helper.make_node("Add", ["louder", "row"], ["scores"]),
    ]
    ends = [
        helper.make_tensor_value_info("frame", TensorProto.FLOAT, [1, "n", FRAME]),
        helper.make_tensor_value_info("hidden", TensorProto.FLOAT, [1, "n", UNITS]),
        helper.make_tensor_value_info("cell", TensorProto.FLOAT, [1, "n", UNITS]),
        helper.make_tensor_value_info("gain", TensorProto.FLOAT, gain),
        helper.make_tensor_value_info("channel", TensorProto.INT32, ["n"]),
    ]
    made = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", UNITS]),
        helper.make_tensor_value_info("next.hidden", TensorProto.FLOAT, [1, "n", UNITS]),
        helper.make_tensor_value_info("next.cell", TensorProto.FLOAT, [1, "n", UNITS]),
    ]
    held = [
        numpy_helper.from_array(np.asarray(value, np.int64 if name == "axis" else np.float32), name)
        for name, value in constants.items()
    ]
    graph = helper.make_graph(nodes, "streaming", ends, made, held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8), path)
    return path


def samples(gain: tuple[int, ...]) -> list[Arrays]:
    generator = np.random.default_rng(3)
    return [
        {
            "frame": generator.normal(0, 1, (1, BATCH, FRAME)).astype(np.float32),
            "hidden": generator.normal(0, 1, (1, BATCH, UNITS)).astype(np.float32),
            "cell": generator.normal(0, 1, (1, BATCH, UNITS)).astype(np.float32),
            "gain": np.full(gain, 0.5 + index, np.float32),
            "channel": np.array([index, 4 - index], np.int32),
        }
        for index in range(3)
    ]


@pytest.mark.parametrize("runtime", ["tflite", "coreml", "onnx"])
def test_states_scalars_and_integers(tmp_path: Path, runtime: str) -> None:
    gain = (1,) if runtime == "coreml" else ()
    path = write_streaming(tmp_path / "streaming.onnx", gain)
    sizes = {"frame": FRAME, "hidden": UNITS, "cell": UNITS}
    shapes: dict[str, Any] = {name: [1, BATCH, size] for name, size in sizes.items()} | {"channel": [BATCH]}
    info = CATALOG.sources["onnx"].inspect(path, {name: tuple(shape) for name, shape in shapes.items()})
    assert CATALOG.runtimes[runtime].check(info, "float32") == ()
    request = {"shapes": shapes}
    feeds = write_feeds(tmp_path / "feeds", samples(gain))
    module = CATALOG.sources["onnx"]
    entry(module.RUN)(request=request, inputs={"model": path, "feeds": feeds}, out=tmp_path / "got")
    wanted = list(read_samples(tmp_path / "got"))
    takes = CATALOG.runtimes[runtime].takes_original(info, "float32")
    source = None if takes else entry(module.OPEN)(request=request, inputs={"model": path})
    made, got = convert_and_run(
        CATALOG.runtimes[runtime],
        "float32",
        tmp_path / "out",
        samples(gain),
        source=source,
        model=path if takes else None,
    )
    assert [port["source"] for port in made["outputs"]] == ["scores", "next.hidden", "next.cell"]
    assert {port["source"]: port["dtype"] for port in made["inputs"]}["channel"] == "int32"
    for outputs in got.values():
        assert distance(wanted, outputs) < 1e-5


def test_a_scalar_input_has_no_core_ml_form(tmp_path: Path) -> None:
    info = CATALOG.sources["onnx"].inspect(write_streaming(tmp_path / "streaming.onnx"), {})
    (reason,) = CATALOG.runtimes["coreml"].check(info, "float32")
    assert reason.startswith("'gain' is a scalar")
