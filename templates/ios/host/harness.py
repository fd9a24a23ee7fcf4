"""Proves an iOS project here: `harness.py COMMAND --project P --bundle B --work W --toolset T`, commands in order:

- doubles: compile the named doubles, and look up the ONNX twin of the project's model
- build: `swift build` of package and tests as shipped, warnings are errors
- test: `swift test`; the Core ML double runs the twin
- app: type-check the sample app against small stubs, strict concurrency
- symbols: every platform symbol in use is on the list, and not newer than the package's minimum iOS
- format: `swift format lint --strict`

P lies inside W, which the Debian tree sees as `/proof`.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import symbols
import tree

HOST = Path(__file__).parent
DOUBLES = {"CoreGraphics": (), "CoreVideo": (), "ImageIO": ("CoreGraphics",), "CoreML": ("Twin",)}
"""Doubled modules in order, with what they need of each other."""
SOURCES = {"CoreML": ("CoreML.swift", "Specification.swift", "TwinModel.swift")}
STUBS = ("FoundationOfApple", "UniformTypeIdentifiers", "UIKit", "SwiftUI", "PhotosUI")
TWIN = "onnx", "float32"
STRICT = ["-swift-version", "6", "-strict-concurrency=complete", "-warnings-as-errors"]


@dataclass(frozen=True)
class Job:
    """Where everything is."""

    project: Path
    bundle: Path
    work: Path
    toolset: Path

    def inside(self, path: Path) -> str:
        """A path of the work folder as the tree sees it."""
        return str(tree.WORK / path.relative_to(self.work))

    def run(self, argv: list[str], env: dict[str, str] | None = None) -> None:
        """Run inside the tree, in the project; ends this process with the command's exit code where it fails."""
        done = tree.run(self.toolset, self.work, argv, env, cwd=self.inside(self.project))
        if done.returncode != 0:
            raise SystemExit(done.returncode if done.returncode > 0 else 128 - done.returncode)

    def package(self) -> str:
        """Name of the Swift package, which is the library's and its module's."""
        folders = sorted(p.name for p in (self.project / "Sources").iterdir() if p.is_dir())
        if len(folders) != 1:
            raise SystemExit(f"one library is expected in Sources, not {folders}")
        return folders[0]


def main() -> None:
    """Run one command."""
    commands = {
        "doubles": doubles,
        "build": build,
        "test": test,
        "app": app,
        "symbols": check_symbols,
        "format": check_format,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    for name in ("project", "bundle", "work", "toolset"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    paths = [path.resolve() for path in (given.project, given.bundle, given.work, given.toolset)]
    commands[given.command](Job(*paths))


def doubles(job: Job) -> None:
    """Compile the doubles into `doubles/`, the stubs into `stubs/`; write the twin's table."""
    _find_twin(job)
    for folder in ("doubles", "stubs"):
        shutil.rmtree(job.work / folder, ignore_errors=True)
        shutil.copytree(HOST / folder, job.work / folder)
    _copy_onnx_runtime(job.work)
    here = job.inside(job.work / "doubles")
    include = "-I/usr/include/onnxruntime"
    job.run(
        ["/usr/libexec/swift/bin/clang", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", include, "-c"]
        + [f"{here}/Twin/twin.c", "-o", f"{here}/twin.o"]
    )
    for module in DOUBLES:
        sources = [f"{here}/{name}" for name in SOURCES.get(module, (f"{module}.swift",))]
        link = [f"{here}/twin.o", "-lonnxruntime"] if "Twin" in DOUBLES[module] else []
        link += [f"-l{name}" for name in DOUBLES[module] if name != "Twin"]
        job.run(
            ["swiftc", *STRICT, "-parse-as-library", "-emit-module", "-emit-library", "-module-name", module]
            + ["-module-link-name", module, "-I", here, "-I", f"{here}/Twin", "-L", here, "-Xlinker", "-rpath"]
            + ["-Xlinker", here, "-o", f"{here}/lib{module}.so", "-emit-module-path", f"{here}/{module}.swiftmodule"]
            + [*sources, *link]
        )
    stubs = job.inside(job.work / "stubs")
    for module in STUBS:
        job.run(
            ["swiftc", *STRICT, "-parse-as-library", "-emit-module", "-module-name", module, "-I", here, "-I", stubs]
            + ["-o", f"{stubs}/{module}.swiftmodule", f"{stubs}/{module}.swift"]
        )


def _copy_onnx_runtime(work: Path) -> None:
    """ONNX Runtime of this Python, the one that verified the twin; the tree has only its header."""
    spec = importlib.util.find_spec("onnxruntime")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for folder in folders for path in Path(folder).glob("capi/libonnxruntime.so.*")]
    if len(found) != 1:
        raise SystemExit(f"{sys.executable} has no onnxruntime, which the Core ML double runs")
    shutil.copyfile(found[0], work / "doubles/libonnxruntime.so.1")
    (work / "doubles/libonnxruntime.so").symlink_to("libonnxruntime.so.1")


def _find_twin(job: Job) -> None:
    """Copy the bundle's ONNX file and write which of its names stands for which Core ML feature."""
    receipt = json.loads((job.bundle / "bundle.json").read_bytes())
    runtime, precision = receipt["targets"]["ios"]["runtime"], receipt["targets"]["ios"]["precision"]
    own = _artifact(receipt, runtime, precision)
    twin = _artifact(receipt, *TWIN)
    names = {port["source"]: port["name"] for port in (*twin["inputs"], *twin["outputs"])}
    folder = job.work / "twin"
    folder.mkdir(exist_ok=True)
    shutil.copyfile(job.bundle / twin["path"], folder / "model.onnx")
    rows = [f"model\t{job.inside(folder / 'model.onnx')}"]
    rows += [f"feature\t{port['name']}\t{names[port['source']]}" for port in (*own["inputs"], *own["outputs"])]
    (folder / "table.txt").write_text("".join(row + "\n" for row in rows), "utf-8")


def _artifact(receipt: dict[str, Any], runtime: str, precision: str) -> dict[str, Any]:
    for artifact in receipt["artifacts"]:
        if (artifact["runtime"], artifact["precision"]) == (runtime, precision):
            found: dict[str, Any] = artifact
            return found
    raise SystemExit(f"the bundle has no {runtime}/{precision}, which the Core ML double runs: add it to `formats:`")


def _swift(job: Job, verb: str, *options: str) -> list[str]:
    doubles_ = job.inside(job.work / "doubles")
    return [
        *("swift", verb, "--package-path", job.inside(job.project), "--scratch-path", f"{tree.WORK}/build"),
        *("-Xswiftc", "-warnings-as-errors", "-Xswiftc", f"-I{doubles_}", "-Xlinker", f"-L{doubles_}"),
        *("-Xlinker", "-rpath", "-Xlinker", doubles_, *options),
    ]


def build(job: Job) -> None:
    """Package, then its tests."""
    job.run(_swift(job, "build"))
    job.run(_swift(job, "build", "--build-tests"))


def test(job: Job) -> None:
    """The project's own tests. Core ML's cache starts empty."""
    shutil.rmtree(job.work / "home", ignore_errors=True)
    table = job.inside(job.work / "twin/table.txt")
    job.run(_swift(job, "test", "--skip-build"), {"PACKAGER_COREML_TWIN": table})


def _app_files(job: Job) -> list[str]:
    return [job.inside(path) for path in sorted((job.project / "App").rglob("*.swift"))]


def _app_options(job: Job) -> list[str]:
    folders = ("doubles", "stubs", "build/debug/Modules")
    return [*STRICT, "-parse-as-library", *(f"-I{job.inside(job.work / folder)}" for folder in folders)]


def app(job: Job) -> None:
    """Type-check only: the stubs have no behaviour."""
    job.run(["swiftc", "-typecheck", "-module-name", "App", *_app_options(job), *_app_files(job)])


def check_symbols(job: Job) -> None:
    """Library, tests and app against the list of platform symbols."""
    name = job.package()
    own = (name, f"{name}Tests", "App")
    strict = [*STRICT, f"-I{job.inside(job.work / 'doubles')}"]
    against = ["-enable-testing", f"-I{job.inside(job.work / 'build/debug/Modules')}"]
    found: dict[str, set[str]] = {}
    for module, folder, extra in ((name, "Sources", []), (f"{name}Tests", "Tests", against)):
        files = [job.inside(path) for path in sorted((job.project / folder / module).rglob("*.swift"))]
        options = [*strict, *extra, "-module-name", module]
        symbols.collect(job.toolset, job.work, options, files, _accessor(job, module), own, found)
    options = [*_app_options(job), "-module-name", "App"]
    symbols.collect(job.toolset, job.work, options, _app_files(job), [], own, found)
    listed = symbols.read_list(HOST / "doubles.toml")
    minimum = symbols.minimum_ios(job.project / "Package.swift")
    problems = symbols.judge(found, listed, minimum)
    if problems:
        raise SystemExit("\n".join(problems))
    sys.stdout.write(f"{len(found)} platform symbols in use, all listed, none newer than iOS {minimum}\n")


def _accessor(job: Job, module: str) -> list[str]:
    """What the package manager made for `Bundle.module`."""
    found = (job.work / "build").glob(f"*/debug/{module}.build/DerivedSources/*.swift")
    return [job.inside(path) for path in sorted(found) if not path.parents[3].is_symlink()]


def check_format(job: Job) -> None:
    """The project's own `.swift-format` decides."""
    job.run(["swift", "format", "lint", "--strict", "--recursive", "."])


if __name__ == "__main__":
    main()
