"""The Swift image steps against the vectors of the reference: colours, geometry, numbers, activations."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from ios_toolset import inside, toolset
from step_cases import cases
from step_vectors import Packed, compare, write_input

import packager.steps
from packager.core.languages import LANGUAGES, camel
from packager.model.contract import ImageType

pytestmark = pytest.mark.native

SWIFT = LANGUAGES["swift"]
STEPS = Path(packager.steps.__file__).parent
SETTINGS = Path(__file__).parents[2] / "templates" / "ios" / "tree" / ".swift-format"
STRICT = ("-Onone", "-swift-version", "6", "-strict-concurrency=complete", "-warnings-as-errors")
PORTED = {
    "alpha",
    "cmyk",
    "crop",
    "depth",
    "grey",
    "layout",
    "log_softmax",
    "orient",
    "sigmoid",
    "srgb",
    "standardize",
}

# Statements are kept short: long sums of arrays take the type checker minutes.
DRIVER = """
import Foundation

final class Driver {
  let input: [UInt8]
  var output: [UInt8] = []

  init() throws { input = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/proof/input.bin"))) }

  func view(
    _ offset: Int, _ w: Int, _ h: Int, _ c: Int, _ stride: Int, _ body: (ImageView) throws -> [UInt8]
  ) throws -> [UInt8] {
    try input.withUnsafeBufferPointer { bytes in
      try body(ImageView(base: bytes.baseAddress! + offset, width: w, height: h, channels: c, bytesPerRow: stride))
    }
  }

  func values<T>(
    _ type: T.Type, _ offset: Int, _ count: Int, _ body: (UnsafeBufferPointer<T>) throws -> [UInt8]
  ) throws -> [UInt8] {
    try input.withUnsafeBytes { bytes in
      let part = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count * MemoryLayout<T>.stride])
      return try body(part.bindMemory(to: T.self))
    }
  }

  func payload(_ image: ImageView) -> [UInt8] {
    var bytes: [UInt8] = []
    for y in 0..<image.height {
      let row = image.base + y * image.bytesPerRow
      bytes.append(contentsOf: UnsafeBufferPointer(start: row, count: image.width * image.channels))
    }
    return bytes
  }

  func payload(_ values: UnsafeBufferPointer<Float>) -> [UInt8] { [UInt8](UnsafeRawBufferPointer(values)) }

  /// Runs a step twice, the second time over the buffers that it kept.
  func run(_ name: String, _ step: () throws -> [UInt8]) {
    do {
      let first = try step()
      let second = try step()
      precondition(first == second, "\\(name): the second run differs")
      emit(0, first)
    } catch {
      emit(1, [])
    }
  }

  func emit(_ status: Int32, _ payload: [UInt8]) {
    for number in [status, Int32(payload.count), 0, 0] {
      withUnsafeBytes(of: number.littleEndian) { output.append(contentsOf: $0) }
    }
    output.append(contentsOf: payload)
    output.append(contentsOf: [UInt8](repeating: 0, count: (16 - payload.count % 16) % 16))
  }
}
"""


def drivers(packed: Sequence[Packed]) -> dict[str, str]:
    """Source files of the driver; one function for each case, so that each is type-checked alone."""
    files = {"Driver.swift": DRIVER}
    calls = [f"case{index}(driver)" for index in range(len(packed))]
    for start in range(0, len(packed), 50):
        functions = (
            f"func case{index}(_ driver: Driver) {{\n{_case(item)}}}\n"
            for index, item in enumerate(packed[start : start + 50], start)
        )
        files[f"Cases{start}.swift"] = "".join(functions)
    end = 'try Data(driver.output).write(to: URL(fileURLWithPath: "/proof/output.bin"))'
    files["main.swift"] = "\n".join(["import Foundation", "", "let driver = try Driver()", *calls, end, ""])
    return files


def _case(item: Packed) -> str:
    call = item.case.call
    arguments = ", ".join(f"{camel(name)}: {SWIFT.constant(value)}" for name, value in call.arguments)
    step = f"  let step = {SWIFT.function(call.function)}({arguments})\n"
    run = f"try driver.{_input(item)} {{ driver.payload(try step.run($0)) }}"
    return f"{step}  driver.run({SWIFT.string(item.case.id)}) {{ {run} }}\n"


def _input(item: Packed) -> str:
    value = item.case.input
    if isinstance(item.case.start, ImageType):
        h, w, c = value.shape
        return f"view({item.offset}, {w}, {h}, {c}, {item.case.stride})"
    element = {"float32": "Float", "uint16": "UInt16"}[str(value.dtype)]
    return f"values({element}.self, {item.offset}, {value.size})"


def sources(steps: Sequence[str]) -> list[Path]:
    """The kit and the native files of the steps."""
    return [f for folder in ("_swift", *steps) for f in sorted((STEPS / folder).glob("*.swift"))]


def test_equal_to_the_reference(tmp_path: Path) -> None:
    toolset()
    chosen = [case for case in cases("image") if case.id.split("/")[0] in PORTED]
    assert {case.id.split("/")[0] for case in chosen} == PORTED
    packed = write_input(chosen, tmp_path / "input.bin")
    for name, text in drivers(packed).items():
        (tmp_path / name).write_text(text, "utf-8")
    for file in sources(list(dict.fromkeys(step for case in chosen for step in case.steps))):
        shutil.copy(file, tmp_path)
    files = [f"/proof/{path.name}" for path in sorted(tmp_path.glob("*.swift"))]
    compiled = inside(tmp_path, "swiftc", *STRICT, "-module-name", "Steps", "-o", "/proof/steps", *files)
    assert compiled.returncode == 0, compiled.stdout
    done = inside(tmp_path, "/proof/steps")
    assert done.returncode == 0, done.stdout
    rows = compare(chosen, tmp_path / "output.bin")
    failed = [f"{row.id}: {row.detail}" for row in rows if not row.passed]
    assert not failed, "\n".join(failed)


def test_formatted(tmp_path: Path) -> None:
    toolset()
    shutil.copy(SETTINGS, tmp_path)
    for file in sources(sorted({*PORTED, "resize", "yuv"})):
        shutil.copy(file, tmp_path)
    files = [f"/proof/{path.name}" for path in sorted(tmp_path.glob("*.swift"))]
    done = inside(tmp_path, "swift", "format", "lint", "--strict", *files)
    assert done.returncode == 0, done.stdout
