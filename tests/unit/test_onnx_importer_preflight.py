"""The light pre-flight: refusals by name, no tensorflow, and the same coverage as the builder functions."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_importer_tools import model_of

from packager.core.errors import ModelError
from packager.importers.onnx import tensor_names, unsupported
from packager.importers.onnx.coverage import BUILT, EXPANDED, REFUSED

X = {"x": np.zeros((1, 3), np.float32)}


def value(name: str, kind: int = TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, [1, 3])


def plain_model(nodes, outputs=("y",), inputs=("x",), **options) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", [value(name) for name in inputs], [value(name) for name in outputs])
    return helper.make_model(graph, **options)


def test_a_covered_model_has_no_findings():
    assert unsupported(model_of([helper.make_node("Relu", ["x"], ["y"])], X, ["y"])) == []


def test_refused_ops_are_named_with_node_domain_and_reason():
    nodes = [
        helper.make_node("Relu", ["x"], ["a"]),
        helper.make_node("RandomNormalLike", ["a"], ["b"], name="noise"),
        helper.make_node("Blur", ["b"], ["c"], domain="com.example"),
        helper.make_node("LabelEncoder", ["c"], ["y"], domain="ai.onnx.ml"),
        helper.make_node("Nonsense", ["c"], ["z"]),
    ]
    found = unsupported(plain_model(nodes))
    assert [(f.node, f.op_type, f.domain) for f in found] == [
        ("noise", "RandomNormalLike", ""),
        ("c", "Blur", "com.example"),
        ("y", "LabelEncoder", "ai.onnx.ml"),
        ("z", "Nonsense", ""),
    ]
    assert "random" in found[0].reason
    assert "com.example" in found[1].reason
    assert found[3].reason == "the importer does not know it"


def test_subgraphs_and_local_functions_are_searched():
    branch = helper.make_graph([helper.make_node("Unique", ["x"], ["u"])], "b", [], [value("u")])
    node = helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch)
    assert [f.op_type for f in unsupported(plain_model([node]))] == ["Unique", "Unique"]
    function = helper.make_function(
        "own",
        "Noise",
        ["x"],
        ["y"],
        [helper.make_node("RandomUniformLike", ["x"], ["y"])],
        [helper.make_opsetid("", 18)],
    )
    model = plain_model([helper.make_node("Noise", ["x"], ["y"], domain="own")], functions=[function])
    assert [f.op_type for f in unsupported(model)] == ["RandomUniformLike"]


def test_text_sequences_training_and_old_forms_are_refused():
    text = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "g", [value("x", TensorProto.STRING)], [value("y")]
    )
    assert "STRING" in unsupported(helper.make_model(text))[0].reason
    many = helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [many], [value("y")])
    assert unsupported(helper.make_model(graph))[0].reason == "its type is not a tensor"
    names = ["x", "s", "b", "m", "v"]
    node = helper.make_node("BatchNormalization", names, ["y"], training_mode=1)
    assert unsupported(plain_model([node], inputs=names))[0].reason == "training mode"
    old = helper.make_node("Add", ["x", "b"], ["y"], broadcast=1, axis=1)
    model = plain_model([old], inputs=["x", "b"], opset_imports=[helper.make_opsetid("", 6)])
    assert "opset 6" in unsupported(model)[0].reason


def test_a_newer_opset_and_an_empty_file_are_model_errors():
    newer = onnx.defs.onnx_opset_version() + 1
    model = plain_model([helper.make_node("Relu", ["x"], ["y"])], opset_imports=[helper.make_opsetid("", newer)])
    with pytest.raises(ModelError, match=f"opset {newer}"):
        unsupported(model)
    with pytest.raises(ModelError, match="no outputs"):
        unsupported(onnx.ModelProto())


def test_names_are_legal_distinct_and_ordered():
    model = plain_model([], inputs=["/in:0", "A", "a", "né"], outputs=["a", "_b"])
    names = tensor_names(model)
    assert names.inputs == {"/in:0": "t_in_0", "A": "A", "a": "a_1", "né": "n_"}
    assert names.outputs == {"a": "a_2", "_b": "t_b"}


def test_pre_flight_imports_no_tensorflow():
    code = (
        "import sys, packager.importers.onnx as p; p.unsupported; p.tensor_names;"
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'torch')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_op_of_the_standard_has_exactly_one_answer():
    """Built, expanded or refused with a reason: a new release of onnx must not bring an op unseen."""
    names = {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain in ("", "ai.onnx.preview")}
    answers = [*BUILT, *EXPANDED, *REFUSED]
    assert len(answers) == len(set(answers))
    assert names - set(answers) == set()


@pytest.mark.heavy
def test_pre_flight_and_builder_functions_cover_the_same_ops():
    import packager.importers.onnx.ops
    from packager.importers.onnx.registry import built

    assert packager.importers.onnx.ops.__all__
    assert built() == BUILT
