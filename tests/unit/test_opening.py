"""A complaint about the model file, or about the shapes that the manifest gives it, has a place in the manifest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from packager.core.errors import Location, ModelError
from packager.model.manifest import Model
from packager.opening import find_original
from packager.registry import Catalog


def where(*path: str | int) -> Location:
    return Location("/".join(map(str, path)), 1, 1)


def refusal(file: Path, shapes: Any) -> tuple[str, str]:
    session: Any = SimpleNamespace(catalog=Catalog())
    inputs: Any = SimpleNamespace(resolve=lambda *_: file)
    with pytest.raises(ModelError) as caught:
        find_original(session, Model(source=file.name, shapes=shapes), inputs, where)
    (finding,) = caught.value.findings
    assert finding.where is not None
    return finding.what, finding.where.file


@pytest.mark.parametrize(
    ("shapes", "what"),
    [({"c": (None, 4)}, "the model has no input 'c'"), ({"a": ()}, "0 axes"), ({"a": (None,)}, "1 axes")],
)
def test_wrong_shapes_have_the_place_of_shapes(shapes: Any, what: str, tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "ay"]
    graph = helper.make_graph([helper.make_node("Relu", ["a"], ["y"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "m.onnx")
    said, place = refusal(tmp_path / "m.onnx", shapes)
    assert what in said and place == "model/shapes"


@pytest.mark.parametrize("shapes", [{}, {"a": (1, 4)}])
def test_a_file_that_is_no_model_has_the_place_of_source(shapes: Any, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"")
    assert refusal(tmp_path / "m.onnx", shapes) == ("m.onnx is empty", "model/source")
