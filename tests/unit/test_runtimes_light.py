"""Matching of outputs, canonical ONNX graphs, stamps: without TensorFlow."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from test_sources_files import onnx_model, packed, tflite_model

from packager.core.errors import ConvertError
from packager.core.samples import read_sample, read_samples, write_sample
from packager.importers.matching import match_outputs
from packager.model.plugins import RuntimeModule, SourceModule
from packager.registry import Catalog
from packager.runtimes.onnx import run as onnx_run
from packager.runtimes.onnx import stamp as onnx_stamp
from packager.runtimes.onnx.canonical import canonical
from packager.runtimes.tflite import stamp as tflite_stamp


def test_every_source_and_runtime_keeps_its_protocol() -> None:
    catalog = Catalog()
    assert {"keras", "keras_h5", "onnx", "savedmodel", "tflite"} <= set(catalog.sources)
    assert {"coreml", "onnx", "tflite"} <= set(catalog.runtimes)
    for module in catalog.sources.values():
        assert isinstance(module, SourceModule)
    for runtime in catalog.runtimes.values():
        assert isinstance(runtime, RuntimeModule)
        assert all(runtime.kernel_sets(precision) for precision in runtime.precisions())


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 1000))
def test_outputs_are_matched_by_value(order: list[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    expected = [{f"s{i}": generator.standard_normal((1, 4)) for i in range(5)} for _ in range(2)]
    got = [{f"a{i}": sample[f"s{i}"] + generator.normal(0, 1e-3, (1, 4)) for i in order} for sample in expected]
    assert match_outputs(expected, got) == {f"s{i}": f"a{i}" for i in range(5)}


def test_equal_outputs_keep_their_order() -> None:
    same = np.ones((1, 2))
    pairs = match_outputs([{"p": same, "q": same, "r": same}], [{"x": same, "y": same, "z": same}])
    assert pairs == {"p": "x", "q": "y", "r": "z"}


def test_an_output_that_is_lost_is_named() -> None:
    with pytest.raises(ConvertError, match="no output for 'b'"):
        match_outputs([{"a": np.zeros(3), "b": np.zeros(2)}], [{"x": np.zeros(3), "y": np.zeros(7)}])


def test_broken_values_do_not_steal_a_partner() -> None:
    broken = np.array([np.nan, 1.0])
    pairs = match_outputs(
        [{"a": np.array([1.0, 2.0]), "b": np.array([5.0, 9.0])}], [{"x": broken, "y": np.array([1.0, 2.0])}]
    )
    assert pairs == {"a": "y", "b": "x"}


def branched(shuffle: random.Random | None, suffix: str) -> onnx.ModelProto:
    """Two outputs, a shared constant, names with a converter's counters."""
    constants = [
        numpy_helper.from_array(np.float32([2.0]), f"two{suffix}"),
        numpy_helper.from_array(np.float32([3]), "u"),
    ]
    nodes = [
        helper.make_node("Mul", ["x:0", f"two{suffix}"], [f"graph/m{suffix}_fused"], name=f"n{suffix}"),
        helper.make_node("Exp", [f"graph/m{suffix}_fused"], ["first:0"]),
        helper.make_node("Add", [f"graph/m{suffix}_fused", f"two{suffix}"], ["second:0"]),
        helper.make_node("Neg", ["u"], [f"dead{suffix}"]),
    ]
    if shuffle:
        constants.reverse()
        nodes[1], nodes[2] = nodes[2], nodes[1]
    x = helper.make_tensor_value_info("x:0", TensorProto.FLOAT, [1])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("first:0", "second:0")]
    graph = helper.make_graph(nodes, suffix, [x], ends, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def test_canonical_graph_forgets_how_it_was_made() -> None:
    renamed = {"x:0": "in/put", "first:0": "a", "second:0": "b"}
    one = canonical(branched(None, "__7"), renamed, "m")
    two = canonical(branched(random.Random(0), "__81"), renamed, "m")
    assert one.SerializeToString(deterministic=True) == two.SerializeToString(deterministic=True)
    assert [node.op_type for node in one.graph.node] == ["Mul", "Exp", "Add"]
    assert [value.name for value in one.graph.input] == ["in/put"]
    got = onnx_run.Session(one.SerializeToString()).run({"in/put": np.float32([1.5])})
    np.testing.assert_allclose(got["a"], np.exp(np.float32([3.0])), rtol=1e-6)
    np.testing.assert_allclose(got["b"], [5.0])


def test_canonical_graph_with_a_subgraph_that_reads_from_outside() -> None:
    inner = [
        helper.make_graph(
            [helper.make_node(op, ["h__3"], [f"o{op}"])],
            op,
            [],
            [helper.make_tensor_value_info(f"o{op}", TensorProto.FLOAT, [2])],
        )
        for op in ("Neg", "Exp")
    ]
    nodes = [
        helper.make_node("If", ["c"], ["y"], then_branch=inner[0], else_branch=inner[1]),
        helper.make_node("Abs", ["x"], ["h__3"]),
    ]
    graph = helper.make_graph(
        [nodes[1], nodes[0]],
        "g",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, [2]),
            helper.make_tensor_value_info("c", TensorProto.BOOL, []),
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    session = onnx_run.Session(canonical(model, {}, "m").SerializeToString())
    feeds = {"x": np.float32([-1, 2])}
    np.testing.assert_array_equal(session.run({**feeds, "c": np.array(True)})["y"], [-1, -2])
    np.testing.assert_allclose(session.run({**feeds, "c": np.array(False)})["y"], np.exp([1, 2]), rtol=1e-6)


STAMP = {"contract": "0" * 64, "labels": {"y": ["Katze", "猫"]}}
ENTRIES = {"packager.contract": "0" * 64, "packager.labels": '{"y":["Katze","猫"]}'}


def test_onnx_stamp_can_be_read_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx_model().SerializeToString())
    for name in ("one", "two", "again"):
        (tmp_path / name).mkdir()
    onnx_stamp.stamp({"contract": "old", "labels": {}}, {"model": path}, tmp_path / "one")
    onnx_stamp.stamp(STAMP, {"model": tmp_path / "one/model.onnx"}, tmp_path / "two")
    onnx_stamp.stamp(STAMP, {"model": path}, tmp_path / "again")
    assert onnx_stamp.read_stamp(tmp_path / "two/model.onnx") == ENTRIES
    assert (tmp_path / "two/model.onnx").read_bytes() == (tmp_path / "again/model.onnx").read_bytes()
    assert onnx.load(tmp_path / "two/model.onnx").graph == onnx.load(path).graph


def test_tflite_stamp_keeps_the_model(tmp_path: Path) -> None:
    path = packed(tmp_path, tflite_model())
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    tflite_stamp.stamp({"contract": "old"}, {"model": path}, tmp_path / "one")
    tflite_stamp.stamp(STAMP, {"model": tmp_path / "one/model.tflite"}, tmp_path / "two")
    assert tflite_stamp.read_stamp(tmp_path / "two/model.tflite") == ENTRIES
    from packager.importers.litert import Session

    feeds = {"in": np.float32([[1, 2, 3, 4]])}
    want, got = (
        Session(path, "litert-builtin").run(feeds),
        Session(tmp_path / "two/model.tflite", "litert-builtin").run(feeds),
    )
    np.testing.assert_array_equal(want["out"], got["out"])
    assert np.isclose(got["out"].sum(), 1)


def test_samples_keep_any_name_and_order(tmp_path: Path) -> None:
    arrays = {"a/b:0": np.arange(3, dtype=np.int8), "file": np.float32(2.5), "ünï": np.zeros((0, 2), np.float16)}
    for index in (10, 2):
        write_sample(tmp_path, index, {**arrays, "n": np.int64(index)})
    back = list(read_samples(tmp_path))
    assert [int(sample["n"]) for sample in back] == [2, 10]
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[0][name], array)
        assert back[0][name].dtype == array.dtype
    first = (tmp_path / "2.npz").read_bytes()
    write_sample(tmp_path / "other", 2, read_sample(tmp_path / "2.npz"))
    assert (tmp_path / "other/2.npz").read_bytes() == first
