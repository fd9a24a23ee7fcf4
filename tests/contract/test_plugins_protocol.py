"""Every step, source, runtime and package registry found by folder keeps its protocol; none is named here."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from packager.core.languages import LANGUAGES
from packager.manifest.reference import markdown
from packager.model.contract import ImageType, ResultType, StepMismatchError, StepParams, TensorType
from packager.model.plugins import PackageRegistryModule, RuntimeModule, SourceModule, StepModule
from packager.model.source import ModelSource
from packager.registry import Catalog

CATALOG = Catalog()
FAMILIES: dict[str, tuple[Any, Any]] = {
    "steps": (CATALOG.steps, StepModule),
    "sources": (CATALOG.sources, SourceModule),
    "runtimes": (CATALOG.runtimes, RuntimeModule),
    "package_registries": (CATALOG.package_registries, PackageRegistryModule),
}
PLUGINS = [(family, name) for family, (found, _) in FAMILIES.items() for name in found]
LANGUAGES_IN_USE = sorted({target.language for target in CATALOG.targets.values()})
WORKERS = ("tf", "light")
SOURCE = ModelSource("none", "0" * 64, (), ())


def plugin(family: str, name: str) -> Any:
    return FAMILIES[family][0][name]


def test_each_family_has_plugins() -> None:
    for family, (found, _) in FAMILIES.items():
        assert len(found) >= 2, family


@pytest.mark.parametrize(("family", "name"), PLUGINS)
def test_the_protocol_is_kept(family: str, name: str) -> None:
    module, protocol = plugin(family, name), FAMILIES[family][1]
    assert isinstance(module, protocol), sorted(set(dir(protocol)) - set(dir(module)))
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert module.__doc__
    for member, declared in vars(protocol).items():
        if member.startswith("_") or not inspect.isfunction(declared):
            continue
        wanted = list(inspect.signature(declared).parameters)[1:]
        if member == "apply" and getattr(module, "MAPS", False):
            wanted.append("photo")
        assert list(inspect.signature(getattr(module, member)).parameters) == wanted, member
        assert getattr(module, member).__doc__, member


@pytest.mark.parametrize(("family", "name"), PLUGINS)
def test_summaries_are_one_line(family: str, name: str) -> None:
    summary = getattr(plugin(family, name), "SUMMARY", "-")
    assert summary == summary.strip() != ""
    assert "\n" not in summary


def _defines(entry: str) -> bool:
    """Whether `module:function` exists, without importing the module: it may be heavy."""
    module, _, function = entry.partition(":")
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None, entry
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body)


@pytest.mark.parametrize(("family", "name"), [p for p in PLUGINS if p[0] in ("sources", "runtimes")])
def test_worker_entries_tools_and_code_exist(family: str, name: str) -> None:
    module = plugin(family, name)
    entries = {
        key: getattr(module, key) for key in ("OPEN", "EXPORT", "RUN", "CONVERT", "STAMP") if hasattr(module, key)
    }
    if family == "sources" and module.SUFFIXES:
        assert entries["RUN"]
        assert bool(entries["OPEN"]) != bool(entries.get("EXPORT"))
        assert hasattr(module, "prepare") == ("EXPORT" in entries)
    for entry in filter(None, entries.values()):
        assert entry.startswith((f"{module.__name__}.", f"packager.{family}._")), entry
        assert _defines(entry), entry
        worker = entry.partition(":")[0]
        covered = any(worker == code or worker.startswith(f"{code}.") for code in module.CODE)
        assert covered, f"the cache would not notice a change of {worker}"
    assert module.RUN_WORKER in WORKERS
    assert module.TOOLS
    for tool in module.TOOLS:
        assert version(tool)
    for code in module.CODE:
        assert importlib.util.find_spec(code) is not None, code


@pytest.mark.parametrize("name", CATALOG.runtimes)
def test_runtimes_answer_for_each_of_their_precisions(name: str) -> None:
    runtime = CATALOG.runtimes[name]
    assert runtime.SUFFIX.startswith(".")
    assert runtime.LICENSE
    assert runtime.precisions()
    assert len(set(runtime.precisions())) == len(runtime.precisions())
    for precision in runtime.precisions():
        sets = runtime.kernel_sets(precision)
        assert sets and len(set(sets)) == len(sets)
        assert all(re.fullmatch(r"[a-z0-9-]+", kernel_set) for kernel_set in sets)
        for answer in (runtime.quantized_interface(precision), runtime.calibrated(precision, SOURCE)):
            assert isinstance(answer, bool)
        assert isinstance(runtime.takes_original(SOURCE, precision), bool)
        assert all(isinstance(reason, str) for reason in runtime.check(SOURCE, precision))


def _engines() -> list[tuple[str, str]]:
    return [
        (runtime, folder.name)
        for runtime, root in CATALOG.runtimes.folders.items()
        for folder in sorted((root / "engine").glob("*"))
    ]


@pytest.mark.parametrize(("runtime", "language"), _engines())
def test_engines_are_whole(runtime: str, language: str) -> None:
    assert language in LANGUAGES
    engine = CATALOG.engine(runtime, language)
    assert engine is not None, "engine.toml is missing"
    assert engine.summary
    assert re.fullmatch(r"[a-z0-9-]+", engine.kernel_set)
    assert set(engine.files) == {path.name for path in engine.folder.iterdir()} - {"engine.toml", "README.md"}


def test_every_target_language_has_an_engine() -> None:
    for language in LANGUAGES_IN_USE:
        assert any(CATALOG.engine(runtime, language) for runtime in CATALOG.runtimes), language


@pytest.mark.parametrize("name", CATALOG.sources)
def test_sources_know_their_files_and_no_others(name: str, tmp_path: Path) -> None:
    source = CATALOG.sources[name]
    assert all(isinstance(suffix, str) and suffix for suffix in source.SUFFIXES)
    (tmp_path / "empty").touch()
    (tmp_path / "text.txt").write_text("packager: 1\n")
    (tmp_path / "random").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "folder").mkdir()
    for path in ("empty", "text.txt", "random", "folder", "missing"):
        assert source.detect(tmp_path / path) is False, path


@pytest.mark.parametrize("name", CATALOG.steps)
@pytest.mark.parametrize("language", LANGUAGES_IN_USE)
def test_steps_have_native_code_in_each_language_in_use(name: str, language: str) -> None:
    files = CATALOG.native_files(name, LANGUAGES[language])
    assert files, f"{name} has no {language} file"
    for file in files:
        text = file.read_text("utf-8")
        assert text.endswith("\n")
        assert "{{" not in text and "{%" not in text, "native step files are sources, not templates"


@pytest.mark.parametrize("name", CATALOG.steps)
def test_steps_describe_their_parameters(name: str) -> None:
    step = CATALOG.steps[name]
    assert issubclass(step.Params, StepParams)
    schema = step.Params.model_json_schema()
    assert schema["additionalProperties"] is False
    for parameter, described in schema.get("properties", {}).items():
        assert described.get("description"), f"{name}.{parameter} has no description"
    with pytest.raises(ValidationError):
        step.Params.model_validate({"no_such_parameter": 1})
    assert set(getattr(step, "NEEDS", ())) <= set(CATALOG.steps)


@pytest.mark.parametrize("name", CATALOG.steps)
def test_steps_that_map_places_back_take_the_way(name: str) -> None:
    step: Any = CATALOG.steps[name]
    assert hasattr(step, "placed") == getattr(step, "MAPS", False)
    if hasattr(step, "placed"):
        assert list(inspect.signature(step.placed).parameters) == ["bound", "geometry"]
        assert "input" in step.Params.model_fields
    if hasattr(step, "geometry"):
        assert list(inspect.signature(step.geometry).parameters) == ["bound", "value"]


def test_roles_are_unique() -> None:
    roles = [module.ROLE for module in CATALOG.steps.values() if hasattr(module, "ROLE")]
    assert len(roles) == len(set(roles))
    assert {"dequantize", "quantize"} <= set(roles)


ODD = (
    ResultType("Mask"),
    TensorType("float64", (1, 3)),
    TensorType("float32", ()),
    TensorType("float32", (1, 2, 3, 4, 5)),
    TensorType("int8", (0,)),
    ImageType(None, None, "rgb", 1),
    ImageType(1, 1, "grey"),
)


def _takes_no_parameters(name: str) -> bool:
    try:
        CATALOG.steps[name].Params.model_validate({})
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", [name for name in CATALOG.steps if _takes_no_parameters(name)])
def test_a_value_that_does_not_fit_is_a_mismatch_and_never_a_crash(name: str) -> None:
    step = CATALOG.steps[name]
    params = step.Params.model_validate({})
    bound = step.bind(params, {}) if hasattr(step, "bind") else params
    refused = 0
    for value in ODD:
        try:
            assert isinstance(step.result_type(bound, value), ImageType | TensorType | ResultType)
        except StepMismatchError as mismatch:
            assert mismatch.what
            refused += 1
    assert refused, "a step that takes anything has no type rule"


def test_the_reference_page_names_every_plugin() -> None:
    page = markdown(CATALOG)
    for name in (*CATALOG.steps, *CATALOG.runtimes, *CATALOG.targets, *CATALOG.package_registries):
        assert f"`{name}`" in page or f"### {name}" in page, name


def test_the_light_parts_import_nothing_heavy() -> None:
    code = """
import sys
from packager.registry import Catalog
catalog = Catalog()
for family in (catalog.steps, catalog.sources, catalog.runtimes, catalog.package_registries):
    for name in family:
        family[name]
heavy = {"tensorflow", "keras", "tf_keras", "coremltools", "tf2onnx", "torch", "onnxruntime", "ai_edge_litert"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
