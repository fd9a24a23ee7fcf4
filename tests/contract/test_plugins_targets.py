"""Every target found by folder: its TOML, its harness, and every file of its tree with every runtime it can have."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from project_tools import root_manifest, tiny_project

from packager import assembly
from packager.core.languages import LANGUAGES
from packager.manifest import load
from packager.model.artifact import Artifact, Port
from packager.model.contract import Classification, Label
from packager.model.golden import ArtifactGolden, GoldenRecord, SampleGolden, Tolerance
from packager.model.project import RenderedFile
from packager.model.target import TargetSpec
from packager.model.tensors import Quantization
from packager.plan import check, lower_input, lower_output, make
from packager.registry import Catalog
from packager.session import Inputs, Session
from packager.stages import render, source, toolset
from packager.stages.verify import Verified

CATALOG = Catalog()
TARGETS = list(CATALOG.targets)
GRADES = {"device", "simulator", "real-runtime", "double", "type-check"}
WORDS = ("project", "host", "work", "toolset", "bundle", "python")
SCALES = {"image": Quantization(1 / 255, -128), "scores": Quantization(1 / 256, -128)}


def options(target: TargetSpec) -> dict[str, Any]:
    """The target's options as the root manifest gives them: it builds every target."""
    data: Any = root_manifest()["targets"]
    for part in target.id.split("."):
        assert part in data, f"the root manifest does not build {target.id}"
        data = data[part]
    return {name: value for name, value in data.items() if name in target.options}


def combinations() -> list[tuple[str, str, str]]:
    return [
        (target.id, runtime, precision)
        for target in CATALOG.targets.values()
        for runtime in CATALOG.runtimes
        if CATALOG.engine(runtime, target.language) is not None
        for precision in CATALOG.runtimes[runtime].precisions()
    ]


def rendered(session: Session, folder: Path, target_id: str, runtime: str, precision: str, **changes: Any) -> Any:
    """All files of one project for the small model, with golden vectors that nobody measured."""
    target = CATALOG.targets[target_id]
    declared: dict[str, Any] = {"runtime": runtime, "precision": precision, **options(target)}
    for part in reversed(target_id.split(".")):
        declared = {part: declared}
    file = tiny_project(folder, targets=declared, formats=None, calibration={"photo": "red.png"}, **changes)
    manifest = load(file, CATALOG)
    inputs = Inputs(session.resolver(folder), online=False)
    found = source.inspect(folder / "tiny.onnx", {}, CATALOG)
    made = make(manifest, found, check(manifest, found, CATALOG, lambda a: folder / str(a)), CATALOG)
    pixels = np.zeros((10, 12, 3), np.uint8)
    sample = SampleGolden("red", {"photo": pixels}, {}, {}, {})
    verified = Verified(_artifact(folder, runtime, precision), (), _golden(runtime, precision, pixels))
    parts = assembly.Parts(manifest, made, (sample,), (verified,), inputs)
    ports = {port.source: port for port in (*verified.artifact.inputs, *verified.artifact.outputs)}
    lowered = (
        tuple(lower_input(chain, ports[chain.tensor], CATALOG) for chain in made.inputs),
        tuple(lower_output(chain, ports[chain.tensor], CATALOG) for chain in made.outputs),
    )
    project = assembly.project_input(parts, made.targets[0], verified, *lowered, CATALOG)
    return project, render.render(project, CATALOG)


def _port(name: str, shape: tuple[int, ...], runtime: str, precision: str) -> Port:
    if CATALOG.runtimes[runtime].quantized_interface(precision):
        return Port(name, name, "int8", shape, SCALES[name])
    return Port(name, name, "float32", shape)


def _artifact(folder: Path, runtime: str, precision: str) -> Artifact:
    suffix = CATALOG.runtimes[runtime].SUFFIX
    path = folder / f"model{suffix}"
    path.write_bytes(b"model")
    ports = (_port("image", (1, 8, 8, 3), runtime, precision),), (_port("scores", (1, 2), runtime, precision),)
    return Artifact(runtime, precision, path, f"tiny{suffix}", "ab" * 32, 5, *ports)


def _golden(runtime: str, precision: str, pixels: Any) -> ArtifactGolden:
    image = _port("image", (1, 8, 8, 3), runtime, precision)
    scores = _port("scores", (1, 2), runtime, precision)
    result = Classification((Label("red", 0.75, 0), Label("blue", 0.25, 1)))
    exact = Tolerance()
    records = (
        GoldenRecord("red", "decode", "photo", exact, pixels),
        GoldenRecord("red", "input", "image", exact, np.zeros(image.shape, image.dtype), None, image.quantization),
        GoldenRecord("red", "output", "scores", exact, np.zeros(scores.shape, scores.dtype), None, scores.quantization),
        GoldenRecord("red", "result", "colour", exact, None, result),
    )
    kernel_set = CATALOG.runtimes[runtime].kernel_sets(precision)[0]
    return ArtifactGolden(f"{runtime}/{precision}", kernel_set, records)


@pytest.mark.parametrize("name", TARGETS)
def test_the_toml_says_what_is_needed(name: str) -> None:
    target = CATALOG.targets[name]
    assert target.language in LANGUAGES
    assert target.summary
    assert "\n" not in target.summary
    assert not target.root.startswith(("/", "."))
    assert target.minimum, "the oldest system that the project runs on"
    for option in target.options.values():
        assert option.description, option.name
        assert option.required or option.default is not None, f"{option.name} has no default"
        if option.pattern is not None and isinstance(option.default, str):
            assert re.fullmatch(option.pattern, option.default)


def test_no_two_targets_share_a_folder() -> None:
    roots = [target.root for target in CATALOG.targets.values()]
    for root in roots:
        assert sum((other + "/").startswith(root + "/") for other in roots) == 1, root


@pytest.mark.parametrize("name", TARGETS)
def test_every_path_and_owner_names_a_file_of_the_tree(name: str) -> None:
    target = CATALOG.targets[name]
    tree = target.folder / "tree"
    files = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
    assert files
    assert set(target.paths) <= files
    plain = {file.removesuffix(".jinja") for file in files}
    for pattern in target.yours:
        assert fnmatch.filter(plain, pattern), f"{pattern} matches no file"
    assert any(path.lower().startswith("readme") for path in plain), "a project tells how to use it"


@pytest.mark.parametrize("name", TARGETS)
def test_the_harness_can_be_filled_in(name: str) -> None:
    target = CATALOG.targets[name]
    harness = target.harness
    assert harness is not None, "every target of the tool has a harness"
    assert harness.evidence in GRADES
    assert set(harness.stages) <= {"decode", "input", "output", "result"}
    assert {"compile", "run"} <= {step.proves for step in harness.steps}
    for step in harness.steps:
        words = dict.fromkeys(WORDS, "x")
        assert all(word.format(**words) for word in step.argv)
        assert all(value.format(**words) is not None for value in step.env.values())
        for word in step.argv:
            match = re.fullmatch(r"\{host\}/([\w./-]+)", word)
            assert match is None or (target.folder / "host" / match[1]).is_file(), word
    sets = toolset.toolsets(CATALOG)
    assert not harness.toolset or harness.toolset in sets
    for artifact in harness.artifacts:
        runtime, _, precision = artifact.partition("/")
        assert precision in CATALOG.runtimes[runtime].precisions()


def test_toolsets_are_pinned() -> None:
    for name, chosen in toolset.toolsets(CATALOG).items():
        assert chosen.summary, name
        assert chosen.size, f"{name} says how much is fetched"
        for item in chosen.files:
            assert item.source.registry in CATALOG.package_registries, item.source
            assert not item.to.startswith(("/", "..")), item.to
        for script in chosen.scripts:
            assert all(word.format(toolset="x", host="x", python="x") for word in script.argv)


@pytest.mark.parametrize(("name", "runtime", "precision"), combinations())
def test_every_file_renders(session: Session, tmp_path: Path, name: str, runtime: str, precision: str) -> None:
    project, files = rendered(session, tmp_path, name, runtime, precision)
    paths = [file.path for file in files]
    assert paths == sorted(paths)
    tree = project.target.folder / "tree"
    assert len(paths) >= sum(path.is_file() for path in tree.rglob("*"))
    for file in files:
        assert file.path.startswith(project.target.root + "/")
        assert not re.search(r"\.jinja$|[{}\\ ]", file.path), file.path
        if file.path.endswith((".bin", ".ppm", ".png", project.artifact.path.suffix)):
            continue
        text = file.read().decode("utf-8")
        assert "{{ " not in text and "{% " not in text, f"{file.path} holds a template's words"
        assert "packager_contract" not in text.casefold(), f"{file.path} was not moved into the bundle's namespace"
        assert str(tmp_path) not in text
        assert not text or text.endswith("\n") or file.path.endswith(".xml"), file.path


@pytest.mark.parametrize("name", TARGETS)
def test_the_contract_hash_is_in_the_project(session: Session, tmp_path: Path, name: str) -> None:
    target, runtime, precision = next(c for c in combinations() if c[0] == name)
    project, files = rendered(session, tmp_path, target, runtime, precision)
    holders = [file.path for file in files if project.contract_hash.encode() in file.read()]
    assert holders


def _texts(files: list[RenderedFile]) -> dict[str, bytes]:
    return {file.path: file.read() for file in files}


@pytest.mark.parametrize("name", TARGETS)
def test_what_depends_on_the_model_file_is_marked(session: Session, tmp_path: Path, name: str) -> None:
    """A file that differs between two models' figures must be listed as dependent on the processor."""
    target, runtime, precision = next(c for c in combinations() if c[0] == name)
    project, files = rendered(session, tmp_path / "a", target, runtime, precision)
    digest = project.artifact.sha256.encode()
    for file in files:
        if digest in file.read():
            assert file.cpu_dependent, file.path
    marked = {file.path for file in files if file.cpu_dependent}
    assert any(path.endswith(project.artifact.file_name) for path in marked)
    again = _texts(rendered(session, tmp_path / "b", target, runtime, precision)[1])
    assert again == _texts(files), "rendering is not deterministic"


HOSTILE = [
    'quote " \\ $x ${y} \\u0041 \t',
    "عربي \u202e 漢字 🙂",
    "</string>&amp;<!-- -->",
    "%s %n ?? ??/",
    "*/ //",
    "yes",
]


@pytest.mark.parametrize("name", TARGETS)
def test_labels_of_any_text_render(session: Session, tmp_path: Path, name: str) -> None:
    target, runtime, precision = next(c for c in combinations() if c[0] == name)
    for pair in (HOSTILE[:2], HOSTILE[2:4], HOSTILE[4:]):
        labels = {"colour": {"steps": [{"labels": {"names": pair, "top": 2}}]}}
        _, files = rendered(
            session, tmp_path, target, runtime, precision, outputs=labels, samples=[{"photo": "red.png"}]
        )
        assert files
