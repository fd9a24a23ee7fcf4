"""The iOS package as shipped: built and tested with the Core ML double, and mutated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hard_project import LABELS, build_hard, run_harness
from ios_toolset import harness, inside, toolset

from packager.stages.prove import Row

pytestmark = [pytest.mark.native, pytest.mark.heavy]

CHAIN = "Sources/PersonDetectorModel/Contract/Chain.swift"
MUTATIONS = {
    "channel order": ("order: .rgb", "order: .bgr", "input"),
    "crop": ("fit: .crop", "fit: .stretch", "input"),
    "scale": ("std: [1.0]", "std: [1.01]", "input"),
    "label order": ("      person\n      non_person\n", "      non_person\n      person\n", "result"),
}


def run(bundle: Path, work: Path) -> Row:
    """The harness over the bundle's iOS project."""
    return run_harness("ios", bundle, toolset(), work)


def test_passes_with_the_named_double(built: Path, tmp_path: Path) -> None:
    row = run(built, tmp_path / "work")
    assert (row.result, row.why) == ("passed", "")
    assert (row.language, row.evidence, row.stages) == ("swift", "double", ["input", "output", "result"])
    sources = {path.name for path in (built / "ios/Sources/PersonDetectorModel").iterdir()}
    assert "RawImage+CGImage.swift" in sources
    assert "Frame+CVPixelBuffer.swift" not in sources, "no input is a camera frame"


def test_mutated_constants_fail_and_name_the_stage(built: Path, tmp_path: Path) -> None:
    """One package is built again for each mutant; the doubles are built once."""
    toolset()
    work = tmp_path / "work"
    project = work / "project"
    shutil.copytree(built / "ios", project)
    done = harness("doubles", project, built, work)
    assert done.returncode == 0, done.stdout
    chain = project / CHAIN
    text = chain.read_text("utf-8")
    for name, (old, new, stage) in MUTATIONS.items():
        assert text.count(old) == 1, f"{name}: the chain has changed, and this test with it"
        chain.write_text(text.replace(old, new), "utf-8")
        done = harness("build", project, built, work)
        assert done.returncode == 0, done.stdout
        done = harness("test", project, built, work)
        assert done.returncode != 0, f"{name}: the mutant passes"
        failed = [line for line in done.stdout.splitlines() if "packager-golden\t" in line and "\tfailed" in line]
        assert failed, f"{name}: no golden vector failed: {done.stdout[-2000:]}"
        stages = {line.partition("packager-golden\t")[2].split("\t")[1] for line in failed}
        # A wrong input also gives a wrong result; a wrong label order gives nothing but that.
        assert stages == {"result"} if stage == "result" else stage in stages, failed


@pytest.fixture(scope="module")
def hard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built for iOS, with a label of two lines."""
    toolset()
    ios = {"runtime": "coreml", "precision": "float32", "bundle_id": "zz.app-1", "minimum_ios": "17.0"}
    labels = [*LABELS[:-1], "two\nlines"]
    folder = tmp_path_factory.mktemp("hard")
    return build_hard(folder, labels, formats=["onnx/float32"], targets={"ios": ios})


def test_hard_labels_names_and_shapes_round_trip(hard: Path, tmp_path: Path) -> None:
    """10,000 labels, `new` as a name, several inputs and outputs, floats and integers: labels come back as given."""
    row = run(hard, tmp_path / "work")
    assert (row.result, row.why) == ("passed", "")
    assert row.stages == ["input", "output", "result"]
    checked = {(check["stage"], check["detail"].strip()) for check in row.checks}
    assert checked >= {("input", "codes"), ("output", "next")}, "int32 in and out"


APP = """
import @ONE@Model

func label@ONE@() -> String { "@ONE@ \\(@ONE@Model.contractHash)" }
"""


def test_two_packages_in_one_app(built: Path, hard: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    names = {"PersonDetector": built, "New": hard}
    for name, bundle in names.items():
        shutil.copytree(bundle / "ios", work / name)
    assert harness("doubles", work / "New", hard, work).returncode == 0
    sources = work / "App" / "Sources" / "App"
    sources.mkdir(parents=True)
    for name in names:
        (sources / f"{name}.swift").write_text(APP.replace("@ONE@", name), "utf-8")
    (sources / "main.swift").write_text("".join(f"print(label{name}())\n" for name in names), "utf-8")
    packages = "".join(f'.package(path: "../{name}"), ' for name in names)
    products = "".join(f'.product(name: "{name}Model", package: "{name}"), ' for name in names)
    (work / "App" / "Package.swift").write_text(
        "// swift-tools-version: 6.0\nimport PackageDescription\n"
        f'let package = Package(name: "App", platforms: [.macOS("14.0")], dependencies: [{packages}], '
        f'targets: [.executableTarget(name: "App", dependencies: [{products}])])\n',
        "utf-8",
    )
    doubles = ("-Xswiftc", "-I/proof/doubles", "-Xlinker", "-L/proof/doubles", "-Xlinker", "-rpath=/proof/doubles")
    done = inside(work, "swift", "run", "--package-path", "/proof/App", "-Xswiftc", "-warnings-as-errors", *doubles)
    assert done.returncode == 0, done.stdout
    assert all(f"{name} " in done.stdout for name in names), done.stdout


def test_a_symbol_that_is_not_listed_or_too_new_fails(built: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    project = work / "project"
    shutil.copytree(built / "ios", project)
    assert harness("doubles", project, built, work).returncode == 0
    assert harness("build", project, built, work).returncode == 0
    done = harness("symbols", project, built, work)
    assert done.returncode == 0, done.stdout
    package = project / "Package.swift"
    package.write_text(package.read_text("utf-8").replace('.iOS("16.0")', '.iOS("15.0")'), "utf-8")
    extra = project / "Sources" / "PersonDetectorModel" / "Extra.swift"
    extra.write_text("import Foundation\n\nlet thermal = ProcessInfo.processInfo.processorCount\n", "utf-8")
    done = harness("symbols", project, built, work)
    assert done.returncode != 0
    assert "Extra.swift: Foundation.ProcessInfo.processorCount is not on the list" in done.stdout, done.stdout
    assert "CoreML.MLModel.compileModel(at:) needs iOS 16.0, the package supports 15.0" in done.stdout, done.stdout


def test_the_format_check_finds_a_fault(built: Path, tmp_path: Path) -> None:
    project = tmp_path / "work" / "project"
    shutil.copytree(built / "ios", project)
    chain = project / CHAIN
    chain.write_text(chain.read_text("utf-8").replace("  func ", " func "), "utf-8")
    done = harness("format", project, built, tmp_path / "work")
    assert done.returncode != 0
    assert "Chain.swift" in done.stdout
