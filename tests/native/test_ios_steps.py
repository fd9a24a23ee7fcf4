"""The Swift steps against the vectors of the reference: strict concurrency, warnings are errors, every case equal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "contract" / "vectors"))

from ios_toolset import inside, toolset
from proof import proved
from step_cases import GROUPS, Case, cases
from step_vectors import Packed, block_offsets, compare, write_input

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

# Statements are short: one long sum of arrays takes the type checker minutes.
DRIVER = """
import Foundation

@testable import Steps

final class Driver {
  let input: [UInt8]
  var output: [UInt8] = []

  init() throws { input = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/proof/input.bin"))) }

  func raw(_ offset: Int, _ count: Int, _ w: Int, _ h: Int, _ c: Int, _ stride: Int) throws -> RawImage {
    try RawImage(pixels: Array(input[offset..<offset + count]), width: w, height: h, channels: c, bytesPerRow: stride)
  }

  func elements<T: BitwiseCopyable>(_ type: T.Type, _ offset: Int, _ count: Int) -> [T] {
    let size = MemoryLayout<T>.size
    return input.withUnsafeBytes { bytes in
      (0..<count).map { bytes.loadUnaligned(fromByteOffset: offset + $0 * size, as: type) }
    }
  }

  func image(_ name: String, _ image: RawImage, _ step: (ImageView) throws -> [UInt8]) {
    run(name) { try image.withView(step) }
  }

  func tensor<T>(_ name: String, _ values: [T], _ step: (UnsafeBufferPointer<T>) throws -> [UInt8]) {
    run(name) { try values.withUnsafeBufferPointer(step) }
  }

  func frame(
    _ name: String, _ y: Int, _ u: Int, _ v: Int, _ end: Int, _ w: Int, _ h: Int, _ yStride: Int, _ uvStride: Int,
    _ uvStep: Int, _ rotation: Int, _ step: (FrameView) throws -> [UInt8]
  ) throws {
    let frame = try Frame(
      y: Array(input[y..<end]), u: Array(input[u..<end]), v: Array(input[v..<end]), width: w, height: h,
      yStride: yStride, uvStride: uvStride, uvStep: uvStep, rotation: rotation)
    run(name) { try frame.withView(step) }
  }

  func tensors(
    _ name: String, _ first: [Float], _ second: [Float],
    _ step: (UnsafeBufferPointer<Float>, UnsafeBufferPointer<Float>) throws -> [UInt8]
  ) {
    run(name) {
      try first.withUnsafeBufferPointer { one in try second.withUnsafeBufferPointer { two in try step(one, two) } }
    }
  }

  func maps(
    _ name: String, _ first: [Float], _ second: [Float], _ third: [Float], _ fourth: [Float],
    _ step: (
      UnsafeBufferPointer<Float>, UnsafeBufferPointer<Float>, UnsafeBufferPointer<Float>, UnsafeBufferPointer<Float>
    ) throws -> [UInt8]
  ) {
    run(name) {
      try first.withUnsafeBufferPointer { one in
        try second.withUnsafeBufferPointer { two in
          try third.withUnsafeBufferPointer { three in
            try fourth.withUnsafeBufferPointer { four in try step(one, two, three, four) }
          }
        }
      }
    }
  }

  func boxes(_ name: String, _ size: Int, _ points: Int, _ at: [Int], _ step: (Candidates) throws -> [UInt8]) {
    let made = Candidates(pointsEach: points)
    made.reserve(size)
    for (index, value) in elements(Float.self, at[0], size * 4).enumerated() { made.boxes[index] = value }
    for (index, value) in elements(Float.self, at[1], size * points * 2).enumerated() { made.points[index] = value }
    for (index, value) in elements(Float.self, at[2], size).enumerated() { made.scores[index] = value }
    for (index, value) in elements(Int32.self, at[3], size).enumerated() { made.classes[index] = value }
    made.size = size
    run(name) { try step(made) }
  }

  func candidates(_ found: Candidates) -> [UInt8] {
    var bytes = word(UInt32(found.size))
    bytes.append(contentsOf: word(UInt32(found.pointsEach)))
    for index in 0..<4 * found.size { bytes.append(contentsOf: word(found.boxes[index].bitPattern)) }
    let points = 2 * found.pointsEach * found.size
    for index in 0..<points { bytes.append(contentsOf: word(found.points[index].bitPattern)) }
    for index in 0..<found.size { bytes.append(contentsOf: word(found.scores[index].bitPattern)) }
    for index in 0..<found.size { bytes.append(contentsOf: word(UInt32(bitPattern: found.classes[index]))) }
    return bytes
  }

  func audio(_ name: String, _ samples: [Int16], _ channels: Int, _ step: (AudioView) throws -> [UInt8]) throws {
    let audio = try Audio(samples: samples, channels: channels)
    run(name) { try audio.withView(step) }
  }

  func series(_ name: String, _ values: [Float], _ channels: Int, _ step: (SeriesView) throws -> [UInt8]) throws {
    let series = try Series(values: values, channels: channels)
    run(name) { try series.withView(step) }
  }

  func pixels(_ image: ImageView) -> [UInt8] {
    var bytes: [UInt8] = []
    for y in 0..<image.height {
      let row = UnsafeBufferPointer(start: image.base + y * image.bytesPerRow, count: image.width * image.channels)
      bytes.append(contentsOf: row)
    }
    return bytes
  }

  func float32(_ values: UnsafeBufferPointer<Float>) -> [UInt8] { [UInt8](UnsafeRawBufferPointer(values)) }

  func int32(_ values: UnsafeBufferPointer<Int32>) -> [UInt8] { [UInt8](UnsafeRawBufferPointer(values)) }

  func int8(_ values: UnsafeBufferPointer<Int8>) -> [UInt8] { [UInt8](UnsafeRawBufferPointer(values)) }

  func labels(_ result: Classification) -> [UInt8] {
    var bytes: [UInt8] = []
    for label in result.labels {
      let text = [UInt8](label.label.utf8)
      bytes.append(contentsOf: word(UInt32(label.index)))
      bytes.append(contentsOf: word(label.score.bitPattern))
      bytes.append(contentsOf: word(UInt32(text.count)))
      bytes.append(contentsOf: text)
      while bytes.count % 4 != 0 { bytes.append(0) }
    }
    return bytes
  }

  func number(_ value: Float) -> [UInt8] { word(value.bitPattern) }

  func count(_ value: Int) -> [UInt8] { word(UInt32(truncatingIfNeeded: value)) }

  func text(_ value: String) -> [UInt8] {
    let data = [UInt8](value.utf8)
    return count(data.count) + data + [UInt8](repeating: 0, count: (4 - data.count % 4) % 4)
  }

  func detections(_ result: Detections) -> [UInt8] {
    var bytes = count(result.detections.count)
    for one in result.detections {
      bytes.append(contentsOf: count(one.index))
      for value in [one.score, one.box.left, one.box.top, one.box.right, one.box.bottom] {
        bytes.append(contentsOf: number(value))
      }
      bytes.append(contentsOf: count(one.points.count))
      for point in one.points { bytes.append(contentsOf: number(point.x) + number(point.y)) }
      bytes.append(contentsOf: text(one.label))
    }
    return bytes
  }

  func landmarks(_ result: Landmarks) -> [UInt8] {
    var bytes = number(result.score)
    bytes.append(contentsOf: count(result.points.count))
    for point in result.points {
      for value in [point.x, point.y, point.z] { bytes.append(contentsOf: number(value)) }
    }
    return bytes
  }

  func mask(_ result: Mask) -> [UInt8] {
    var bytes = count(result.width)
    bytes.append(contentsOf: count(result.height))
    bytes.append(contentsOf: count(result.labels.count))
    for label in result.labels { bytes.append(contentsOf: text(label)) }
    bytes.append(contentsOf: result.classes)
    return bytes
  }

  func embedding(_ result: Embedding) -> [UInt8] { result.values.flatMap(number) }

  func values(_ result: Values) -> [UInt8] {
    var bytes = count(result.shape.count)
    for length in result.shape { bytes.append(contentsOf: count(length)) }
    bytes.append(contentsOf: text(result.unit))
    bytes.append(contentsOf: result.values.flatMap(number))
    return bytes
  }

  func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) } }

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

  func emit(_ status: UInt32, _ payload: [UInt8]) {
    output.append(contentsOf: word(status))
    output.append(contentsOf: word(UInt32(payload.count)))
    output.append(contentsOf: [UInt8](repeating: 0, count: 8))
    output.append(contentsOf: payload)
    while output.count % 16 != 0 { output.append(0) }
  }
}
"""


def drivers(packed: Sequence[Packed]) -> dict[str, str]:
    """Source files of the driver; one function for each case, so that each is type-checked alone."""
    files = {"Driver.swift": DRIVER}
    calls = []
    for start in range(0, len(packed), 50):
        body = "@testable import Steps\n\n"
        for index, item in enumerate(packed[start : start + 50], start):
            body += f"func case{index}(_ driver: Driver) throws {{\n{_case(item)}}}\n"
            calls.append(f"try case{index}(driver)")
        files[f"Cases{start}.swift"] = body
    end = 'try Data(driver.output).write(to: URL(fileURLWithPath: "/proof/output.bin"))'
    files["main.swift"] = "\n".join(["import Foundation", "", "let driver = try Driver()", *calls, end, ""])
    return files


def _case(item: Packed) -> str:
    call = item.case.call
    arguments = ", ".join(f"{camel(name)}: {_constant(value)}" for name, value in call.arguments)
    step = f"  let step = {SWIFT.function(call.function)}({arguments})\n"
    start = item.case.start
    taken, passed = "driver.tensor", "$0"
    if isinstance(start, ImageType):
        taken = "try driver.image"
    elif isinstance(start, FrameType):
        taken = "try driver.frame"
    elif isinstance(start, AudioType | SeriesType):
        taken = "try driver.audio" if isinstance(start, AudioType) else "try driver.series"
    elif isinstance(start, TensorsType):
        two = len(start.tensors) == 2
        taken, passed = ("driver.tensors", "$0, $1") if two else ("driver.maps", "$0, $1, $2, $3")
    elif isinstance(start, CandidatesType):
        taken = "driver.boxes"
    if item.case.photo is not None:
        passed += f", ImageSize(width: {item.case.photo.width}, height: {item.case.photo.height})"
    run = f"{taken}({SWIFT.string(item.case.id)}, {_input(item.case, item)})"
    return f"{step}  {run} {{ driver.{_output(call.output)}(try step.run({passed})) }}\n"


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


@pytest.mark.parametrize("group", GROUPS)
def test_equal_to_the_reference(group: str, tmp_path: Path) -> None:
    toolset()
    packed = write_input(cases(group), tmp_path / "input.bin")
    steps = dict.fromkeys(step for item in packed for step in item.case.steps)
    native = [*sorted((STEPS / "_swift").glob("*.swift")), *(f for s in steps for f in (STEPS / s).glob("*.swift"))]
    for folder in ("steps", "driver"):
        (tmp_path / folder).mkdir()
    for file in native:
        shutil.copy(file, tmp_path / "steps")
    for name, text in drivers(packed).items():
        (tmp_path / "driver" / name).write_text(text, "utf-8")
    # The driver is not optimised: hundreds of short functions would take the optimiser minutes.
    library = ("-O", "-enable-testing", "-emit-module", "-emit-library", "-module-name", "Steps")
    swiftc(tmp_path, "steps", *library, "-o", "/proof/libSteps.so", "-emit-module-path", "/proof/Steps.swiftmodule")
    swiftc(tmp_path, "driver", "-I/proof", "-L/proof", "-lSteps", "-Xlinker", "-rpath=/proof", "-o", "/proof/run")
    done = inside(tmp_path, "/proof/run")
    assert done.returncode == 0, done.stdout
    rows = compare([item.case for item in packed], tmp_path / "output.bin")
    failed = [f"{row.id}: {row.detail}" for row in rows if not row.passed]
    assert not failed, "\n".join(failed[:20])
    assert len(rows) == len(packed) > 20
    proved("swift", "Linux -O", group, [item.case for item in packed], rows)
