"""What `plan` tells before anything starts: operations, sizes, peak memory, what is not covered, Flex and its cost."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from project_tools import packager, tiny_project

from packager.core.errors import ModelError
from packager.importers.liveness import Operation, elements, peak
from packager.model.plan import ArtifactRequest
from packager.model.source import ModelSource
from packager.model.tensors import TensorSpec
from packager.plan.predict import predict
from packager.registry import Catalog
from packager.sources.savedmodel import refuse
from packager.sources.savedmodel.graph import Graph, Node, SavedGraph, Signature, Tensor

CATALOG = Catalog()


def chain(*names: str, in_place: bool = False) -> list[Operation]:
    return [Operation(f"to {b}", [a], [b], in_place) for a, b in pairwise(names)]


def test_a_chain_needs_one_operands_and_one_results_room() -> None:
    sizes = {"a": 10, "b": 100, "c": 20, "d": 5}
    found = peak(chain("a", "b", "c", "d"), sizes, ["a"], ["d"])
    assert (found.elements, found.at, found.unknown) == (120, "to c", 0)


def test_a_skip_connection_stays_alive() -> None:
    operations = [*chain("a", "b", "c"), Operation("add", ["a", "c"], ["d"])]
    sizes = {"a": 10, "b": 10, "c": 10, "d": 10}
    assert peak(operations, sizes, ["a"], ["d"]).elements == 30
    assert peak(chain("a", "b", "c"), sizes, ["a"], ["c"]).elements == 20


def test_elementwise_operations_work_in_place_unless_their_operand_is_needed() -> None:
    sizes = {"a": 50, "b": 50, "c": 1}
    assert peak(chain("a", "b", in_place=True), sizes, ["a"], ["b"]).elements == 50
    kept = [*chain("a", "b", in_place=True), Operation("last", ["a", "b"], ["c"])]
    assert peak(kept, sizes, ["a"], ["c"]).elements == 101


def test_a_result_that_nobody_takes_and_a_kept_output() -> None:
    operations = [Operation("split", ["a"], ["b", "unused"]), *chain("b", "c")]
    sizes = {"a": 1, "b": 10, "unused": 100, "c": 1}
    assert peak(operations, sizes, ["a"], ["c"]).elements == 111
    assert peak(operations, sizes, ["a"], ["c", "b"]).elements == 111


def test_unknown_sizes_are_counted_not_guessed() -> None:
    found = peak(chain("a", "b", "c"), {"a": 4, "b": None, "c": 2}, ["a"], ["c"])
    assert (found.elements, found.unknown) == (4, 1)
    assert elements((None, 3, 4)) == 12
    assert elements((1, None)) is None
    assert elements(()) == 1


def test_what_is_alive_inside_a_nested_network_is_added() -> None:
    operations = [Operation("inner", ["a"], ["b"], inner=1000)]
    assert peak(operations, {"a": 1, "b": 2}, ["a"], ["b"]).elements == 1003


def request(name: str) -> ArtifactRequest:
    runtime, _, precision = name.partition("/")
    return ArtifactRequest(runtime, precision, ("formats",))


@pytest.mark.parametrize(
    ("name", "file", "peak_bytes"),
    [
        ("tflite/float32", 4000, 4400),
        ("tflite/float16", 2000, 6400),  # weights are expanded to float32 when the file is opened
        ("tflite/int8", 1000, 1100),
        ("tflite/int8-dynamic", 1000, 1400),
        ("coreml/float16", 2000, 2200),
        ("onnx/int8", 1000, 1100),
    ],
)
def test_predictions_follow_the_precision(name: str, file: int, peak_bytes: int) -> None:
    facts = {"parameters": 1000, "live_elements": 100, "live_at": "conv", "live_unknown": 0}
    found = predict(request(name), ModelSource("keras", "0", (), (), facts=facts), CATALOG)
    assert (found.file_bytes, found.peak_bytes, found.peak_at) == (file, peak_bytes, "conv")


def test_what_the_source_does_not_tell_is_not_guessed() -> None:
    found = predict(
        request("tflite/int8"), ModelSource("savedmodel", "0", (), (), facts={"weight_bytes": 4000}), CATALOG
    )
    assert (found.file_bytes, found.peak_bytes) == (1000, None)
    found = predict(request("tflite/int8"), ModelSource("onnx", "0", (), ()), CATALOG)
    assert (found.file_bytes, found.peak_bytes) == (None, None)


def node(name: str, op: str, *inputs: str, **calls: tuple[str, ...]) -> Node:
    return Node(name, op, inputs, calls)


def graph(*nodes: Node, returns: tuple[str, ...] = (), arguments: tuple[str, ...] = ()) -> Graph:
    return Graph({n.name: n for n in nodes}, returns, arguments)


def test_only_operations_between_inputs_and_outputs_count() -> None:
    inner = graph(
        node("svd", "Svd", "x"),
        node("fold", "Erfinv", "w"),
        node("size", "Shape", "x"),
        node("angle", "Tan", "size:output:0"),
        node("sum", "AddN", "svd:s:0", "fold:y:0", "angle:y:0"),
        node("aside", "Digamma", "x"),
        returns=("sum:z:0",),
        arguments=("x", "w"),
    )
    main = graph(
        node("x", "Placeholder"),
        node("w", "ReadVariableOp"),
        node("call", "PartitionedCall", "x", "w", f=("inner",)),
        node("y", "Identity", "call:0"),
        node("other", "Betainc", "x"),
    )
    signature = Signature(
        (Tensor(TensorSpec("x", "float32", (1,)), "x:0", True),),
        (Tensor(TensorSpec("y", "float32", (1,)), "y:0", True),),
    )
    saved = SavedGraph("2", {"serving_default": signature}, main, {"inner": inner})
    assert saved.dependent(signature) == {
        "AddN": "sum", "Identity": "y", "PartitionedCall": "call", "Shape": "size", "Svd": "svd"
    }  # fmt: skip


def test_a_saved_model_that_writes_variables_is_refused() -> None:
    main = graph(
        node("x", "Placeholder"),
        node("seed", "VarHandleOp"),
        node("count", "AssignAddVariableOp", "seed", "x"),
        node("y", "Identity", "x", "^count"),
    )
    given, made = (Tensor(TensorSpec(name, "float32", (1,)), f"{name}:0", True) for name in ("x", "y"))
    signature = Signature((given,), (made,))
    with pytest.raises(ModelError, match="writes a variable while it runs"):
        refuse(SavedGraph("2", {"serving_default": signature}, main, {}), signature, "saved")


@pytest.mark.parametrize("runtime", ["tflite", "coreml", "onnx"])
def test_an_uncovered_operation_is_refused_with_node_reason_and_replacement(runtime: str) -> None:
    source = ModelSource(
        "savedmodel", "0", (), (), facts={"dependent_ops": {"Cholesky": "a/chol", "RGBToHSV": "a/hsv"}}
    )
    reasons = CATALOG.runtimes[runtime].check(source, "float32")
    assert reasons[0].startswith("Cholesky (node 'a/chol'): ")
    assert "RGBToHSV (node 'a/hsv'): " in reasons[-1]
    assert reasons[-1].endswith("write it with minimum, maximum and division")
    assert ("Flex" in reasons[0]) == (runtime == "tflite")
    assert ("20 MB" in reasons[0]) == (runtime == "tflite")


def write_refused_model(file: Path) -> None:
    """An ONNX model with box selection inside, which the importer refuses."""
    boxes = [helper.make_node("NonMaxSuppression", ["boxes", "scores", "most"], ["chosen"], "select")]
    made = helper.make_graph(
        boxes,
        "refused",
        [
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 6, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 1, 6]),
        ],
        [helper.make_tensor_value_info("chosen", TensorProto.INT64, [3, 3])],
        [numpy_helper.from_array(np.array([3], np.int64), "most")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString())


def test_a_refused_node_is_named_with_a_known_replacement(tmp_path: Path) -> None:
    write_refused_model(tmp_path / "m.onnx")
    source = CATALOG.sources["onnx"].inspect(tmp_path / "m.onnx", {})
    (reason,) = CATALOG.runtimes["coreml"].check(source, "float32")
    assert reason.startswith("NonMaxSuppression (select): ")
    assert reason.endswith("take the step `nms`")
    assert CATALOG.runtimes["onnx"].check(source, "float32") == ()  # taken as it is


def test_plan_shows_all_of_it(tmp_path: Path) -> None:
    file = tiny_project(tmp_path, formats=["onnx/float32", "tflite/float16"])
    done = packager("plan", file)
    assert done.returncode == 0, done.stderr
    out = done.stdout
    assert "1 MatMul, 1 ReduceMean, 1 Softmax" in out
    assert "weights and the most values alive at once" in out
    assert "tflite/float16: weights are half as large in the file only" in out
    assert "accuracy will not be established" in out
    data: dict[str, Any] = json.loads(packager("plan", file, "--json").stdout)
    by_name = {entry["artifact"]: entry for entry in data["predictions"]}
    # 6 weights; 8 x 8 x 3 pixels and 3 means are alive at ReduceMean
    assert by_name["onnx/float32"]["file_bytes"] == 24
    assert by_name["onnx/float32"]["peak_bytes"] == 4 * (6 + 192 + 3)
    assert by_name["tflite/float16"]["ops"] == {"MatMul": 1, "ReduceMean": 1, "Softmax": 1}
