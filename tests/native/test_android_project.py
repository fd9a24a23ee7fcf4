"""The Android project as shipped: compiled, run, mutated, formatted, and with labels and shapes that hurt."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from android_toolset import java, toolset
from PIL import Image
from project_tools import ROOT, write_manifest

from packager import pipeline
from packager.core.console import NullConsole
from packager.core.process import SystemRunner
from packager.registry import Catalog
from packager.session import open_session
from packager.stages.prove import Row, prove

pytestmark = [pytest.mark.native, pytest.mark.heavy]

HOST = ROOT / "templates" / "android" / "host"
MUTATIONS = {
    "channel order": ("order = ChannelOrder.RGB", "order = ChannelOrder.BGR", "input"),
    "crop": ("fit = Fit.CROP", "fit = Fit.STRETCH", "input"),
    "scale": ("            scale = 1.0f", "            scale = 1.01f", "input"),
    "label order": (
        '                    "person",\n                    "non_person",\n',
        '                    "non_person",\n                    "person",\n',
        "result",
    ),
}
LABELS = (
    'double "quotes"',
    "it's",
    "$dollar ${name} $$",
    "back\\slash \\n \\u0041",
    "tab\there",
    "emoji \U0001f9ea\U0001f469\u200d\U0001f52c",
    "\u05e2\u05d1\u05e8\u05d9\u05ea \u202e\u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "/* comment */ // {{ braces }} <tag> & %s",
    "  spaces  ",
    "null",
)


def chain_file(project: Path) -> Path:
    return next(project.glob("contract/src/main/kotlin/**/Chain.kt"))


def run(bundle: Path, work: Path) -> Row:
    """The harness over the bundle's Android project."""
    tools = toolset()
    work.mkdir()
    return prove(Catalog().targets["android"], bundle, "android", tools, work, SystemRunner(), "")


def test_passes_with_the_real_runtime(built: Path, tmp_path: Path) -> None:
    row = run(built, tmp_path / "work")
    assert (row.result, row.why) == ("passed", "")
    assert (row.language, row.evidence, row.stages) == ("kotlin", "real-runtime", ["input", "output", "result"])


def test_mutated_constants_fail_and_name_the_stage(built: Path, tmp_path: Path) -> None:
    """Compiles all mutants in one JVM, then runs each one's own tests."""
    tools = toolset()
    text = chain_file(built / "android").read_text("utf-8")
    mutants = {"none": text}
    for name, (old, new, _) in MUTATIONS.items():
        assert text.count(old) == 1, f"{name}: the chain has changed, and this test with it"
        mutants[name] = text.replace(old, new)
    folders = {name: tmp_path / name.replace(" ", "-") for name in mutants}
    for name, chain in mutants.items():
        copy_contract(built / "android", folders[name], chain)
    compile_contracts(tools, list(folders.values()))
    outcomes = {name: contract_tests(tools, folder) for name, folder in folders.items()}
    assert outcomes["none"][0] == 0, outcomes["none"][1]
    for name, (_, _, stage) in MUTATIONS.items():
        code, output = outcomes[name]
        assert code != 0, f"{name}: the mutant passes"
        assert f"AssertionError: stage {stage}: sample " in output, output
        other = {"input": "result", "result": "input"}[stage]
        assert f"AssertionError: stage {other}" not in output, output


def copy_contract(project: Path, to: Path, chain: str) -> None:
    for part in ("contract", "golden"):
        shutil.copytree(project / part, to / part)
    chain_file(to).write_text(chain, "utf-8")


def compile_contracts(tools: Path, folders: list[Path]) -> None:
    stdlib = tools / "kotlinc" / "kotlin-stdlib.jar"
    arguments: list[str] = ["-no-stdlib", "-no-reflect", "-Werror", "-jvm-target", "11"]
    for folder in folders:
        main, test = folder / "classes" / "main", folder / "classes" / "test"
        sources = [str(folder / "contract" / "src" / part) for part in ("main", "testFixtures", "test")]
        path = os.pathsep.join(map(str, (stdlib, main, tools / "lib" / "junit.jar")))
        arguments += ["--module", f"{folder.name} main", "-cp", str(stdlib), "-d", str(main), sources[0]]
        arguments += ["--module", f"{folder.name} test", "-cp", path, "-d", str(test), *sources[1:]]
    done = subprocess.run(
        java([tools / "kotlinc" / "*"], HOST / "Compile.java", *arguments), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def contract_tests(tools: Path, folder: Path) -> tuple[int, str]:
    jars = [tools / "kotlinc" / "kotlin-stdlib.jar", tools / "lib" / "junit.jar", tools / "lib" / "hamcrest-core.jar"]
    classes = [folder / "classes" / "main", folder / "classes" / "test"]
    test = next(classes[1].rglob("GoldenTest.class")).relative_to(classes[1]).with_suffix("").as_posix()
    command = java([*jars, *classes], "org.junit.runner.JUnitCore", test.replace("/", "."))
    done = subprocess.run(command, cwd=folder / "contract", capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def ktlint(tools: Path, project: Path) -> str:
    command = ["java", "-jar", str(tools / "lib" / "ktlint.jar"), "--relative", "**/*.kt", "**/*.kts"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_is_formatted(built: Path) -> None:
    assert ktlint(toolset(), built / "android") == ""


def test_ktlint_finds_a_fault(built: Path, tmp_path: Path) -> None:
    """The check above can fail."""
    tools = toolset()
    (tmp_path / "Bad.kt").write_text("class  Bad{ }\n", "utf-8")
    assert "standard:" in ktlint(tools, tmp_path)


def test_ships_no_dynamic_or_refused_version(built: Path) -> None:
    catalogue = (built / "android" / "gradle" / "libs.versions.toml").read_text("utf-8")
    for build in (built / "android").rglob("*.gradle.kts"):
        assert not any(mark in build.read_text("utf-8") for mark in ('+"', "latest.", "SNAPSHOT", ':"'))
    assert "litert-support" not in catalogue
    assert not any(f'litert = "{version}"' in catalogue for version in ("2.1.6", "2.2.0"))


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with two inputs, two outputs, 10,000 labels, and labels of every kind of character."""
    toolset()
    folder = tmp_path_factory.mktemp("hard")
    write_hard_model(folder / "hard.onnx")
    rng = np.random.default_rng(3)
    Image.fromarray(rng.integers(0, 256, (23, 37, 3), np.uint8)).save(folder / "photo.png")
    np.save(folder / "extra.npy", rng.standard_normal((1, 4)).astype(np.float32))
    (folder / "many.txt").write_text("".join(f"{LABELS[i % len(LABELS)]} {i}\n" for i in range(10_000)), "utf-8")
    resize = {"width": 9, "height": 7, "fit": "letterbox", "like": "pillow", "method": "lanczos", "fill": 7}
    manifest: dict[str, Any] = {
        "packager": 1,
        "name": "new",
        "version": "0.1.0",
        "license": "CC0-1.0",
        "model": {"source": "hard.onnx"},
        "inputs": {
            "a_photo": {
                "tensor": "image",
                "accepts": {"image": {"max": "1 MP"}},
                "steps": [
                    {"resize": resize},
                    {"channels": {"order": "bgr"}},
                    {"normalize": {"mean": [1, 2, 3.5], "std": 255}},
                ],
            },
            "extra": {
                "tensor": "extra",
                "accepts": {"tensor": "raw"},
                "steps": [{"normalize": {"mean": 0.5, "std": 2}}],
            },
        },
        "outputs": {
            "many": {"tensor": "many", "steps": ["softmax", {"labels": {"file": "many.txt", "top": 7}}]},
            "few": {"tensor": "few", "steps": [{"labels": {"names": list(LABELS), "top": len(LABELS)}}]},
        },
        "samples": [{"a_photo": "photo.png", "extra": "extra.npy"}],
        "targets": {
            "android": {"runtime": "tflite", "precision": "float32", "application_id": "zz.app_1", "min_sdk": 30}
        },
    }
    with open_session(NullConsole()) as session:
        return pipeline.build(session, write_manifest(folder, manifest), folder / "dist")


def write_hard_model(file: Path) -> None:
    """image [1,7,9,3], extra [1,4] -> many [1,10000], few [1,10]: flattened, joined, one matrix for each output."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(5)
    sizes = {"many": 10_000, "few": len(LABELS)}
    weights = {
        f"{n}_weights": rng.standard_normal((7 * 9 * 3 + 4, size)).astype(np.float32) for n, size in sizes.items()
    }
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"], "flatten", axis=1),
        helper.make_node("Concat", ["flat", "extra"], ["joined"], "join", axis=1),
        *(helper.make_node("MatMul", ["joined", f"{name}_weights"], [name], name) for name in sizes),
    ]
    graph = helper.make_graph(
        nodes,
        "hard",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 7, 9, 3]),
            helper.make_tensor_value_info("extra", TensorProto.FLOAT, [1, 4]),
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in sizes.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    file.write_bytes(model.SerializeToString(deterministic=True))


def test_hard_labels_and_shapes_round_trip(hard: Path, tmp_path: Path) -> None:
    """10,000 labels, `new` as a name, two inputs and outputs, float32: the labels come back as they were given."""
    row = run(hard, tmp_path / "work")
    assert (row.result, row.why) == ("passed", "")
    assert row.stages == ["input", "output", "result"]
    index = (hard / "android" / "golden" / "index.txt").read_text("utf-8")
    assert all(label.replace("\\", "\\\\").replace("\t", "\\t") in index for label in LABELS)


def test_hard_project_is_formatted(hard: Path) -> None:
    assert ktlint(toolset(), hard / "android") == ""
