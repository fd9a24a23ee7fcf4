"""What Android projects hold for some models only, and names as Kotlin source."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import jinja2
import pytest

from packager.core.languages import LANGUAGES
from packager.core.languages.kotlin import CHUNK, LINES
from packager.model.contract import BytesType, FrameType, ImageType
from packager.registry import Catalog
from packager.stages.render.context import TESTS

KOTLIN = LANGUAGES["kotlin"]
STARTS = {
    "picture": ImageType(None, None, "rgb", 100),
    "ink": ImageType(8, 8, "cmyk", 64),
    "frame": FrameType(100),
    "bytes": BytesType(100),
}


def place(file: str, start: Any) -> str:
    """Where the file goes in the project of a model with one input of this type; empty: nowhere."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.tests |= TESTS
    template = environment.from_string(Catalog().targets["android"].paths[file])
    return template.render(inputs=[SimpleNamespace(start=start)], package_path="org/example")


@pytest.mark.parametrize(
    ("file", "start"),
    [
        ("model/src/main/kotlin/BitmapPixels.kt.jinja", "picture"),
        ("model/src/main/kotlin/CameraFrames.kt.jinja", "frame"),
        ("model/src/test/kotlin/CameraFramesTest.kt.jinja", "frame"),
    ],
)
def test_a_file_for_one_type_of_input_is_in_no_other_project(file: str, start: str) -> None:
    places = {name: place(file, type_) for name, type_ in STARTS.items()}
    assert places.pop(start).endswith("/org/example/" + file.rsplit("/", 1)[1].removesuffix(".jinja"))
    assert set(places.values()) == {""}


def test_long_lists_of_names_are_a_line_for_each() -> None:
    names = tuple(f"class ${n}" for n in range(1000))
    lines = KOTLIN.constant(names).splitlines()
    assert (lines[0], lines[-1]) == ("arrayOf(", ').joinToString("").split("\\n")')
    assert len(lines) == len(names) + 2
    assert lines[1] == '    "class \\$0\\n" +'
    assert lines[-2] == '        "class \\$999",'


@pytest.mark.parametrize("length", [1, 30, 3000])
def test_a_constant_of_names_stays_within_a_class_files_limits(length: int) -> None:
    names = tuple(str(n).rjust(length, "x") for n in range(1001))
    text = KOTLIN.constant(names)
    constants = text.split(",\n")
    for constant in constants[:-1]:
        parts = re.findall(r'"((?:[^"\\]|\\.)*)"', constant)
        assert len(parts) <= LINES
        assert sum(len(part.replace("\\n", "\n")) for part in parts) <= CHUNK
    joined = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', ",".join(constants[:-1])))
    assert tuple(joined.replace("\\n", "\n").split("\n")) == names
