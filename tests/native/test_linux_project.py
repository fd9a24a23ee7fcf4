"""The Linux project as shipped: compiled, run, mutated, refused with another model, and twice in one program."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hard_project import run_harness

from packager.registry import Catalog
from packager.stages import toolset as stage
from packager.stages.prove import Row

pytestmark = [pytest.mark.native, pytest.mark.heavy]

NAME = "linux-host"
MODEL = "models/person-detector.tflite"
TEST = "person_detector_golden_test"
MUTATIONS = {
    "channel order": ("ChannelOrder::kRgb", "ChannelOrder::kBgr", "input"),
    "crop": ("Fit::kCrop", "Fit::kStretch", "input"),
    "scale": ("kPhoto2Std[] = {1.0}", "kPhoto2Std[] = {1.01}", "input"),
    "label order": ('"person",\n    "non_person",', '"non_person",\n    "person",', "result"),
}
WARNINGS = "-Wall -Wextra -Wpedantic -Wconversion -Werror"


@pytest.fixture(scope="module")
def library() -> Path:
    """TensorFlow Lite of the pinned toolset; skipped loudly where it is not installed."""
    found = stage.toolsets(Catalog())[NAME]
    if not stage.is_installed(found):
        pytest.skip(f"toolset {NAME} is not installed: packager doctor --install {NAME}")
    return stage.folder(found) / "lib" / "libjnitensorflowlite.so"


def run(bundle: Path, library: Path, work: Path) -> Row:
    """The harness over the bundle's Linux project."""
    return run_harness("embedded.linux", bundle, library.parents[1], work)


def call(*argv: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in argv], cwd=cwd, capture_output=True, text=True, check=False)


def checked(*argv: object) -> str:
    done = call(*argv)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def configure(project: Path, build: Path, library: Path, *options: str) -> None:
    flags = (f"-DTFLITE_LIBRARY={library}", f"-DCMAKE_CXX_FLAGS={WARNINGS}", *options)
    checked("cmake", "-S", project, "-B", build, "-G", "Ninja", *flags)


@pytest.fixture(scope="module")
def compiled(built: Path, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with its build in `build/`; tests restore what they change."""
    project = tmp_path_factory.mktemp("linux") / "project"
    shutil.copytree(built / "embedded/linux", project)
    configure(project, project / "build", library)
    checked("cmake", "--build", project / "build")
    return project


def golden(project: Path, name: str) -> subprocess.CompletedProcess[str]:
    return call(project / f"build/{TEST}", name, project / "tests/golden", project / MODEL)


def test_passes_with_the_real_runtime(built: Path, library: Path, tmp_path: Path) -> None:
    row = run(built, library, tmp_path / "work")
    assert (row.result, row.why) == ("passed", "")
    assert (row.language, row.evidence, row.stages) == ("c++", "real-runtime", ["input", "output", "result"])
    assert len(row.checks) == 4 * 3, "four samples, three stages"


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutated_constant_fails_its_stage(compiled: Path, name: str) -> None:
    old, new, broken = MUTATIONS[name]
    chain = compiled / "contract/chain.cpp"
    text = chain.read_text("utf-8")
    assert text.count(old) == 1, f"{name}: the chain has changed, and this test with it"
    try:
        chain.write_text(text.replace(old, new), "utf-8")
        checked("cmake", "--build", compiled / "build", "--target", TEST)
        failing = golden(compiled, broken)
        assert failing.returncode == 1, failing.stdout
        assert f"\t{broken}\tfailed\t" in failing.stdout
        if broken == "result":
            assert golden(compiled, "input").returncode == 0, "only stage result may fail"
        assert golden(compiled, "output").returncode == 0, "stage output starts from the recorded input"
    finally:
        chain.write_text(text, "utf-8")


def test_the_harness_names_the_stage_of_a_mutant(built: Path, library: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(built / "embedded/linux", bundle / "embedded/linux")
    chain = bundle / "embedded/linux/contract/chain.cpp"
    chain.write_text(chain.read_text("utf-8").replace("Fit::kCrop", "Fit::kStretch"), "utf-8")
    row = run(bundle, library, tmp_path / "work")
    assert row.result == "failed"
    assert row.why.startswith("stage input, sample "), row.why
    assert "input" not in row.stages


def test_contraction_fails_the_probe(built: Path, library: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(built / "embedded/linux", project)
    lists = project / "CMakeLists.txt"
    text = lists.read_text("utf-8")
    assert "-ffp-contract=off" in text
    lists.write_text(text.replace("-ffp-contract=off", "-ffp-contract=fast -mfma"), "utf-8")
    configure(project, project / "build", library)
    checked("cmake", "--build", project / "build", "--target", TEST)
    done = golden(project, "contraction")
    assert done.returncode == 1
    assert "-ffp-contract=off" in done.stderr


def test_the_sample_prints_result_latency_and_contract(compiled: Path) -> None:
    shown = checked(compiled / "build/person_detector")
    lines = shown.splitlines()
    assert lines[0] == "verdict:"
    label, score = lines[1].split()
    assert label == "person"
    assert 0.85 < float(score) <= 1.0
    assert any(line.startswith("latency: ") for line in lines)
    assert any(line.startswith("contract: ") and len(line.split()[1]) == 64 for line in lines)


def test_a_model_of_another_contract_is_refused(compiled: Path, built: Path, tmp_path: Path) -> None:
    data = (compiled / MODEL).read_bytes()
    shown = checked(compiled / "build/person_detector")
    contract = shown.rpartition("contract: ")[2].strip().encode()
    assert data.count(contract) == 2  # for our library, and in the format's own metadata
    other = tmp_path / "other.tflite"
    other.write_bytes(data.replace(contract, contract[::-1]))
    sample = next((compiled / "samples").glob("*.ppm"))
    done = call(compiled / "build/person_detector", sample, other)
    assert done.returncode == 1
    assert "another contract" in done.stderr


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\x1c\0\0\0TFL3" + b"\xff" * 64])
def test_a_broken_model_is_refused_in_words(compiled: Path, tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(content)
    sample = next((compiled / "samples").glob("*.ppm"))
    done = call(compiled / "build/person_detector", sample, broken)
    assert done.returncode == 1
    assert "person_detector: " in done.stderr.splitlines()[-1]


def test_two_bundles_in_one_program(built: Path, library: Path, tmp_path: Path) -> None:
    """The second bundle is the first with its name changed, as the renderer would write it."""
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(built / "embedded/linux", first)
    shutil.copytree(built / "embedded/linux", second)
    for file in [
        p for p in second.rglob("*") if p.suffix in (".hpp", ".cpp", ".h", ".txt") and "golden" not in p.parts
    ]:
        text = file.read_text("utf-8")
        renamed = text.replace("person_detector", "other_one").replace("PERSON_DETECTOR", "OTHER_ONE")
        file.write_text(renamed.replace("PersonDetector", "OtherOne"), "utf-8")
    (second / "include/person_detector/person_detector.hpp").rename(second / "include/other_one.hpp")
    (second / "include/person_detector").rmdir()
    (second / "include/other_one").mkdir()
    (second / "include/other_one.hpp").rename(second / "include/other_one/other_one.hpp")
    (second / "src/person_detector.cpp").rename(second / "src/other_one.cpp")
    program = tmp_path / "main.cpp"
    program.write_text(
        '#include "person_detector/person_detector.hpp"\n#include "other_one/other_one.hpp"\n'
        "int main(int, char** argv) {\n"
        "  person_detector::PersonDetectorModel a(argv[1]);\n  other_one::OtherOneModel b(argv[1]);\n"
        "  const std::vector<std::uint8_t> pixels(3 * 200 * 100, 90);\n"
        "  const auto x = a.predict({pixels.data(), 200, 100});\n"
        "  const auto y = b.predict({pixels.data(), 200, 100});\n"
        "  return x.labels[0].label == y.labels[0].label && x.labels[0].score == y.labels[0].score ? 0 : 1;\n}\n",
        "utf-8",
    )
    sources = [
        file for project in (first, second) for part in ("src", "engine", "contract") for file in cpp(project / part)
    ]
    flags = ["-std=c++17", "-ffp-contract=off", *WARNINGS.split()]
    # Each project sees its own folders only; headers of one name exist in both.
    objects = []
    for source in [*sources, program]:
        project = first if first in source.parents else second
        includes = (
            [first / "include", second / "include"]
            if source == program
            else [project / part for part in ("include", "engine", "contract")]
        )
        target = tmp_path / f"{len(objects)}.o"
        checked("g++", *flags, *(f"-I{folder}" for folder in includes), "-c", source, "-o", target)
        objects.append(target)
    binary = tmp_path / "both"
    checked("g++", *objects, library, f"-Wl,-rpath,{library.parent}", "-pthread", "-o", binary)
    assert call(binary, first / MODEL).returncode == 0


def cpp(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.cpp"))
