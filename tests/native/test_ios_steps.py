"""The Swift steps against the vectors of the reference: strict concurrency, warnings are errors, every case equal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from ios_toolset import inside, toolset
from proof import proved
from step_cases import GROUPS, Case, cases
from step_vectors import Packed, Row, block_offsets, compare, write_input

import packager.steps
from packager.core.constants import Constant
from packager.core.languages import LANGUAGES, camel
from packager.model.contract import (
    AudioType,
    CandidatesType,
    ContractType,
    FrameType,
    ImageType,
    ResultType,
    SeriesType,
    TensorsType,
    TensorType,
)

pytestmark = pytest.mark.native

SWIFT = LANGUAGES["swift"]
STEPS = Path(packager.steps.__file__).parent
STRICT = ("-swift-version", "6", "-strict-concurrency=complete", "-warnings-as-errors")

DRIVER = Path(__file__).with_name("ios_steps_driver.swift")
SETTINGS = Path(__file__).parents[2] / "templates" / "ios" / "tree" / ".swift-format"
CLANG = "/usr/libexec/swift/bin/clang"
COUNTER = """
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static long count;

long allocations(void) { return count; }

void *malloc(size_t size) {
  ++count;
  return __libc_malloc(size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
  ++count;
  *out = __libc_memalign(alignment, size);
  return *out ? 0 : 12;
}

void *aligned_alloc(size_t alignment, size_t size) {
  ++count;
  return __libc_memalign(alignment, size);
}
"""

END = """
try Data(driver.output).write(to: URL(fileURLWithPath: "/proof/output.bin"))
let counts = [driver.total] + driver.allocated
try counts.map(String.init).joined(separator: " ").write(
  to: URL(fileURLWithPath: "/proof/allocations.txt"), atomically: false, encoding: .utf8)
"""


def drivers(packed: Sequence[Packed]) -> dict[str, str]:
    """Source files of the driver; one function for each case, so that each is type-checked alone."""
    files = {"Driver.swift": DRIVER.read_text("utf-8")}
    calls = []
    for start in range(0, len(packed), 50):
        body = "@testable import Steps\n\n"
        for index, item in enumerate(packed[start : start + 50], start):
            body += f"func case{index}(_ driver: Driver) throws {{\n{_case(item)}}}\n"
            calls.append(f"try case{index}(driver)")
        files[f"Cases{start}.swift"] = body
    files["main.swift"] = "\n".join(["import Foundation", "", "let driver = try Driver()", *calls, END, ""])
    return files


def _case(item: Packed) -> str:
    call = item.case.call
    arguments = ", ".join(f"{camel(name)}: {_constant(value)}" for name, value in call.arguments)
    step = f"  let step = {SWIFT.function(call.function)}({arguments})\n"
    start = item.case.start
    taken, passed = "driver.tensor", ["value"]
    if isinstance(start, ImageType):
        taken = "try driver.image"
    elif isinstance(start, FrameType):
        taken = "try driver.frame"
    elif isinstance(start, AudioType | SeriesType):
        taken = "try driver.audio" if isinstance(start, AudioType) else "try driver.series"
    elif isinstance(start, TensorsType):
        two = len(start.tensors) == 2
        taken, passed = ("driver.tensors", ["a", "b"]) if two else ("driver.maps", ["a", "b", "c", "d"])
    elif isinstance(start, CandidatesType):
        taken = "driver.boxes"
    names = ", ".join(passed)
    if item.case.photo is not None:
        passed = [*passed, f"ImageSize(width: {item.case.photo.width}, height: {item.case.photo.height})"]
    run = f"{taken}({SWIFT.string(item.case.id)}, {_input(item.case, item)})"
    lines = (
        f"{run} {{ {names} in",
        "  driver.start()",
        f"  let made = try step.run({', '.join(passed)})",
        "  driver.stop()",
        f"  return driver.{_output(call.output)}(made)",
        "}",
    )
    return step + "".join(f"  {line}\n" for line in lines)


def _output(kind: ContractType) -> str:
    """The driver's function for it."""
    if isinstance(kind, ImageType):
        return "pixels"
    if isinstance(kind, CandidatesType):
        return "candidates"
    if isinstance(kind, TensorType):
        return kind.dtype
    assert isinstance(kind, ResultType)
    return "labels" if kind.kind == "Classification" else kind.kind.lower()


def _constant(value: Constant) -> str:
    """As the chain writes it: many texts as the lines of one."""
    if value == ():
        return "[]"
    if isinstance(value, tuple) and isinstance(value[0], str) and "\n" not in "".join(map(str, value)):
        return f"lines({SWIFT.constant(chr(10).join(map(str, value)))})"
    return SWIFT.constant(value)


def _input(case: Case, item: Packed) -> str:
    if isinstance(case.start, FrameType):
        f = case.input
        places = [item.offset + at for at in (f.y, f.u, f.v, item.bytes)]
        return ", ".join(map(str, [*places, f.width, f.height, f.y_stride, f.uv_stride, f.uv_step, f.frame.rotation]))
    if isinstance(case.start, ImageType):
        h, w, c = case.input.shape
        return f"driver.raw({item.offset}, {item.bytes}, {w}, {h}, {c}, {case.stride})"
    if isinstance(case.start, TensorsType):
        places = zip(case.start.tensors, block_offsets(item), strict=True)
        return ", ".join(f"driver.elements(Float.self, {offset}, {tensor.size})" for tensor, offset in places)
    if isinstance(case.start, CandidatesType):
        return f"{case.input.scores.size}, {case.start.points}, {block_offsets(item)}"
    elements = {"float32": "Float", "int8": "Int8", "uint8": "UInt8", "int16": "Int16", "uint16": "UInt16"}
    data = f"driver.elements({elements[str(case.input.dtype)]}.self, {item.offset}, {case.input.size})"
    return f"{data}, {case.start.channels}" if isinstance(case.start, AudioType | SeriesType) else data


def swiftc(work: Path, folder: str, *options: str) -> None:
    """Compile a folder's files inside the tree."""
    sources = [f"/proof/{folder}/{path.name}" for path in sorted((work / folder).glob("*.swift"))]
    done = inside(work, "swiftc", *STRICT, *options, *sources)
    assert done.returncode == 0, done.stdout


@dataclass(frozen=True)
class Ran:
    """What a group's cases gave, and how often each asked for memory after its first run; -1: it refused its input."""

    group: str
    cases: Sequence[Case]
    rows: Sequence[Row]
    total: int
    allocated: Sequence[int]


@pytest.fixture(scope="module", params=GROUPS)
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The group's cases, compiled as a release build and run."""
    toolset()
    work = tmp_path_factory.mktemp("steps")
    packed = write_input(cases(request.param), work / "input.bin")
    steps = dict.fromkeys(step for item in packed for step in item.case.steps)
    for folder in ("steps", "driver"):
        (work / folder).mkdir()
    for file in native_files(("_swift", *steps)):
        shutil.copy(file, work / "steps")
    for name, text in drivers(packed).items():
        (work / "driver" / name).write_text(text, "utf-8")
    # The driver is not optimised: hundreds of short functions would take the optimiser minutes.
    library = ("-O", "-wmo", "-enable-testing", "-emit-module", "-emit-library", "-module-name", "Steps")
    swiftc(work, "steps", *library, "-o", "/proof/libSteps.so", "-emit-module-path", "/proof/Steps.swiftmodule")
    swiftc(work, "driver", "-I/proof", "-L/proof", "-lSteps", "-Xlinker", "-rpath=/proof", "-o", "/proof/run")
    (work / "count.c").write_text(COUNTER, "utf-8")
    done = inside(work, CLANG, "-shared", "-fPIC", "/proof/count.c", "-o", "/proof/count.so")
    assert done.returncode == 0, done.stdout
    done = inside(work, "env", "LD_PRELOAD=/proof/count.so", "/proof/run")
    assert done.returncode == 0, done.stdout
    found = [item.case for item in packed]
    total, *allocated = map(int, (work / "allocations.txt").read_text("utf-8").split())
    assert len(allocated) == len(found)
    return Ran(request.param, found, compare(found, work / "output.bin"), total, allocated)


def native_files(folders: Iterable[str]) -> list[Path]:
    """The Swift files of steps and of the kit."""
    return [file for folder in folders for file in sorted((STEPS / folder).glob("*.swift"))]


def test_equal_to_the_reference(ran: Ran) -> None:
    failed = [f"{row.id}: {row.detail}" for row in ran.rows if not row.passed]
    assert not failed, "\n".join(failed[:20])
    assert len(ran.rows) == len(ran.cases) > 20
    proved("swift", "Linux -O", ran.group, ran.cases, ran.rows)


def test_allocates_nothing_but_the_result(ran: Ran) -> None:
    """A step's buffers are there after its first run; only a result, which the app keeps, is made anew."""
    assert ran.total > len(ran.cases), "the counter is in front of malloc"
    counted = [
        (case.id, count)
        for case, count in zip(ran.cases, ran.allocated, strict=True)
        if not isinstance(case.call.output, ResultType)
    ]
    failed = [f"{name}: {count} allocations" for name, count in counted if count > 0]
    assert not failed, "\n".join(failed[:20])
    assert any(count == 0 for _, count in counted)
    results = [c for case, c in zip(ran.cases, ran.allocated, strict=True) if isinstance(case.call.output, ResultType)]
    assert not results or max(results) > 0, "a result is allocated, and counted"


def test_formatted(tmp_path: Path) -> None:
    toolset()
    shutil.copy(SETTINGS, tmp_path)
    found = native_files(sorted(folder.name for folder in STEPS.iterdir() if folder.is_dir()))
    assert len(found) > 40
    for file in (*found, DRIVER):
        shutil.copy(file, tmp_path)
    files = [f"/proof/{path.name}" for path in sorted(tmp_path.glob("*.swift"))]
    assert len(files) == len(found) + 1, "two files have the same name"
    done = inside(tmp_path, "swift", "format", "lint", "--strict", *files)
    assert done.returncode == 0, done.stdout
