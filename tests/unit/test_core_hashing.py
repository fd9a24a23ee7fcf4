from __future__ import annotations

import enum
import math
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from packager.core import hashing
from packager.core.jsonable import to_json


def test_canonical_json_is_one_text() -> None:
    assert hashing.canonical_json({"b": [1, 1.5, None, True], "a": "ü"}) == '{"a":"ü","b":[1,1.5,null,true]}'.encode()
    assert hashing.json_hash({"a": 1, "b": 2}) == hashing.json_hash({"b": 2, "a": 1})


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf]])
def test_canonical_json_refuses_what_json_has_not(value: object) -> None:
    with pytest.raises(ValueError, match="JSON"):
        hashing.canonical_json(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_to_json_keeps_json_and_any_text_hashes(value: object) -> None:
    assert to_json(value) == value
    assert len(hashing.json_hash(value)) == 64


def test_known_digests(tmp_path: Path) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    (tmp_path / "empty").touch()
    assert hashing.sha256_bytes(b"") == hashing.sha256_file(tmp_path / "empty") == empty
    assert hashing.content_hash(tmp_path / "empty") == empty
    assert hashing.tree_hash(tmp_path) == hashing.json_hash({"empty": empty})


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_tree_hash_sees_paths_and_bytes_only(tmp_path: Path) -> None:
    first = tree(tmp_path / "1", {"a/x": "1", "b": "2"})
    same = tree(tmp_path / "2", {"b": "2", "a/x": "1"})
    (same / "b").chmod(0o600)
    assert hashing.tree_hash(first) == hashing.tree_hash(same)
    assert hashing.tree_hash(first) != hashing.tree_hash(tree(tmp_path / "3", {"a/y": "1", "b": "2"}))
    assert hashing.tree_hash(first) != hashing.tree_hash(tree(tmp_path / "4", {"a/x": "1", "b": "3"}))
    assert hashing.tree_hash(first) != hashing.tree_hash(tree(tmp_path / "5", {"a": "x1", "b": "2"}))


def test_tree_hash_ends_on_a_loop_of_links(tmp_path: Path) -> None:
    tree(tmp_path / "1", {"b": "2"})
    before = hashing.tree_hash(tmp_path / "1")
    (tmp_path / "1" / "loop").symlink_to(tmp_path / "1")
    assert hashing.tree_hash(tmp_path / "1") != before


def test_hashing_what_is_not_there_fails(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hashing.content_hash(tmp_path / "no")
    with pytest.raises(FileNotFoundError):
        hashing.tree_hash(tmp_path / "no")


def test_code_hash_sees_every_file_but_compiled_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tree(tmp_path / "codehashed", {"__init__.py": "", "part.py": "A = 1", "native/step.hpp": "int a;"})
    (tmp_path / "codehashed_single.py").write_text("B = 1")
    monkeypatch.syspath_prepend(tmp_path)
    names = ["codehashed", "codehashed_single"]
    first = hashing.code_hash(names)
    assert hashing.code_hash(reversed(names)) == first
    tree(package, {"__pycache__/part.cpython-311.pyc": "compiled", "old.pyc": "compiled"})
    assert hashing.code_hash(names) == first
    (package / "native/step.hpp").write_text("int b;")
    second = hashing.code_hash(names)
    assert second != first
    (tmp_path / "codehashed_single.py").write_text("B = 2")
    assert hashing.code_hash(names) != second
    assert "codehashed_single" not in sys.modules  # hashing imports nothing but parents
    with pytest.raises(ModuleNotFoundError):
        hashing.code_hash(["codehashed_that_is_not"])


def test_tool_versions() -> None:
    found = hashing.tool_versions(["pytest", "no-such-distribution"])
    assert found == {"no-such-distribution": "missing", "pytest": pytest.__version__}


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: float
    where: PurePosixPath


class Model(BaseModel):
    from_: str = Field(alias="from")
    point: tuple[int, int] = (1, 2)


def test_to_json_of_each_kind() -> None:
    value = {
        Colour.RED: Point(1.5, PurePosixPath("a/b")),
        2: (np.float32(0.5), np.int64(3), np.array([[1, 2]], dtype=np.int8)),
        "model": Model(**{"from": "x"}),
        "set": {"b", "a"},
    }
    assert to_json(value) == {
        "red": {"x": 1.5, "where": "a/b"},
        "2": [0.5, 3, [[1, 2]]],
        "model": {"from": "x", "point": [1, 2]},
        "set": ["a", "b"],
    }


@pytest.mark.parametrize("value", [object(), b"bytes", {None: 1}, Point, {1.5: 2}])
def test_to_json_refuses_the_rest(value: object) -> None:
    with pytest.raises(TypeError, match="JSON"):
        to_json(value)
