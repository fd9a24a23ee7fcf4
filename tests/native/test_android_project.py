"""The Android project as shipped: compiled, run, mutated, formatted, and with labels and shapes that hurt."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from android_toolset import java, toolset
from hard_project import LABELS, build_hard, run_harness
from project_tools import ROOT

from packager.stages.prove import Row

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


def chain_file(project: Path) -> Path:
    return next(project.glob("contract/src/main/kotlin/**/Chain.kt"))


def run(bundle: Path, work: Path) -> Row:
    """The harness over the bundle's Android project."""
    return run_harness("android", bundle, toolset(), work)


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
    """Built for Android."""
    toolset()
    android = {"runtime": "tflite", "precision": "float32", "application_id": "zz.app_1", "min_sdk": 30}
    return build_hard(tmp_path_factory.mktemp("hard"), LABELS, targets={"android": android})


def test_hard_labels_and_shapes_round_trip(hard: Path, tmp_path: Path) -> None:
    """10,000 labels, `new` as a name, several inputs and outputs, floats and integers: labels come back as given."""
    row = run(hard, tmp_path / "work")
    assert (row.result, row.why) == ("passed", "")
    assert row.stages == ["input", "output", "result"]
    index = (hard / "android" / "golden" / "index.txt").read_text("utf-8")
    assert all(label.replace("\\", "\\\\").replace("\t", "\\t") in index for label in LABELS)


def test_hard_project_is_formatted(hard: Path) -> None:
    assert ktlint(toolset(), hard / "android") == ""
