"""The core never names a step, a runtime or a target: a new one is one new folder, and nothing else changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import packager
from packager.registry import Catalog

CATALOG = Catalog()
PACKAGE = Path(packager.__file__).parent
CORE = ("core", "model", "manifest", "plan", "stages", "drafting", "cli")
MODULES = ("pipeline.py", "opening.py", "assembly.py", "session.py", "registry.py")
NAMES = {*CATALOG.steps, *CATALOG.runtimes, *CATALOG.sources, *CATALOG.targets}
# Words that are the names of steps and of something else as well: each with what it is here.
OTHER_MEANINGS = {
    ("plan/lower.py", "quantize"): "a role, which a step of any name declares",
    ("plan/lower.py", "dequantize"): "a role",
    ("stages/verify/run.py", "quantize"): "a role",
    ("stages/verify/run.py", "dequantize"): "a role",
    ("stages/contract/profiles.py", "srgb"): "a colour space, and a word in a profile's description",
    ("stages/contract/images.py", "srgb"): "a colour space",
    ("model/manifest.py", "grey"): "a colour of an image",
    ("model/manifest.py", "cmyk"): "a colour of an image",
    ("stages/convert.py", "labels"): "a key of the stamp's request",
    ("stages/render/context.py", "labels"): "a key of the templates' context",
    ("stages/render/goldens.py", "layout"): "a key of golden/index.json",
    ("model/results.py", "labels"): "a key of a result in JSON",
    ("model/recipes.py", "labels"): "a field of what a file says of itself",
    ("model/results.py", "detections"): "a key of a result in JSON",
    ("model/results.py", "values"): "a key of a result in JSON",
    ("model/geometry.py", "orient"): "a kind of move",
    ("model/geometry.py", "crop"): "a kind of move",
    ("plan/geometry.py", "orient"): "a kind of move",
    ("model/manifest.py", "values"): "a key of `expect`",
    ("plan/chains.py", "values"): "a key of `expect`",
    ("stages/render/goldens.py", "values"): "a key of a result in JSON",
    ("stages/contract/media.py", "yuv"): "the names of three planes",
    ("manifest/annotations.py", "values"): "a word in a description",
    ("plan/labelled.py", "values"): "a column of labelled data",
    ("stages/evaluate/run.py", "values"): "a column of labelled data",
    ("core/worker.py", "log"): "a key of a request",
    ("core/worker_child.py", "log"): "a key of a request",
    ("stages/prove.py", "log"): "a field of a row",
    ("model/contract.py", "grey"): "a colour of an image",
    ("model/contract.py", "cmyk"): "a colour of an image",
    ("plan/lower.py", "scale"): "a key of a quantisation",
    ("stages/convert.py", "scale"): "a key of a quantisation",
    ("stages/render/goldens.py", "scale"): "a key of a quantisation",
    ("stages/render/project.py", "scale"): "an argument's name",
    ("stages/verify/run.py", "scale"): "a key of a quantisation",
    ("manifest/names.py", "srgb"): "a key of a sample",
    ("manifest/chains.py", "srgb"): "a key of a sample",
    ("manifest/schema.py", "srgb"): "a key of a sample",
}


def files() -> Iterator[Path]:
    for name in CORE:
        yield from sorted((PACKAGE / name).rglob("*.py"))
    yield from (PACKAGE / name for name in MODULES)


def words(file: Path) -> set[str]:
    """Every text of a module that is exactly a plug-in's name, but for documentation."""
    tree = ast.parse(file.read_text("utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value in NAMES}


def test_there_is_something_to_look_for() -> None:
    assert len(NAMES) > 10
    assert len(list(files())) > 40


def test_no_file_of_the_core_holds_a_plugins_name() -> None:
    found = {(file.relative_to(PACKAGE).as_posix(), word) for file in files() for word in words(file)}
    assert found == set(OTHER_MEANINGS)


def test_the_core_imports_no_plugin() -> None:
    families = ("packager.steps.", "packager.sources.", "packager.runtimes.", "packager.package_registries.")
    for file in files():
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            assert not [name for name in names if name.startswith(families)], f"{file.name}: {names}"
