"""The Swift detection steps allocate nothing once their buffers are there: malloc is counted while they run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ios_toolset import inside, toolset

import packager.steps

pytestmark = pytest.mark.native

STEPS = Path(packager.steps.__file__).parent
FILES = (
    "_swift/ContractTypes.swift",
    "_swift/ContractResults.swift",
    "center_boxes/CenterBoxes.swift",
    "nms/Nms.swift",
    "ssd_boxes/SsdBoxes.swift",
    "yolo_boxes/YoloBoxes.swift",
)
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
CLANG = "/usr/libexec/swift/bin/clang"
MAIN = """
import Glibc

typealias Count = @convention(c) () -> Int
let allocations = unsafeBitCast(dlsym(nil, "allocations"), to: Count.self)

let boxes = (0..<896 * 16).map { Float($0 % 97) - 20 }
let scores = (0..<896).map { Float($0 % 13) - 6 }
let ones = [Float](repeating: 1, count: 8)
let ssd = SsdBoxes(
  columns: [16, 8], rows: [16, 8], sizes: [2, 6], anchorWidths: ones, anchorHeights: ones, offset: [0.5, 0.5],
  scale: [128, 128, 128, 128], inputSize: [128, 128], points: 6, classes: 1, order: .xywh, exponential: true,
  sigmoid: true, clip: 100, threshold: 0.5)
let rows = (0..<100 * 8).map { Float($0 % 11) / 11 }
let yolo = YoloBoxes(boxes: 100, classes: 3, layout: .v5, width: 640, height: 640, threshold: 0.1)
let centers = CenterBoxes(columns: 10, rows: 8, classes: 1, points: 2, stride: 4, threshold: 0)
let heat = UnsafeMutableBufferPointer<Float>.allocate(capacity: 4 * 80)
heat.initialize(repeating: 0.5)
let bestCenters = Nms(capacity: 80, iouThreshold: 0.3, maxResults: 50, perClass: false)
let bestFaces = Nms(capacity: 896, iouThreshold: 0.3, maxResults: 50, perClass: true)
let bestObjects = Nms(capacity: 100, iouThreshold: 0.3, maxResults: 50, perClass: true)
var left = 0

@MainActor
func all(
  _ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>, _ c: UnsafeBufferPointer<Float>
) throws -> Int {
  let faces = try bestFaces.run(ssd.run(a, b)).size
  let map = UnsafeBufferPointer(rebasing: heat[..<80])
  let pair = UnsafeBufferPointer(rebasing: heat[..<160])
  let points = try bestCenters.run(centers.run(map, pair, pair, UnsafeBufferPointer(heat))).size
  return try faces + points + bestObjects.run(yolo.run(c)).size
}

try boxes.withUnsafeBufferPointer { a in
  try scores.withUnsafeBufferPointer { b in
    try rows.withUnsafeBufferPointer { c in
      left = try all(a, b, c)
      let before = allocations()
      for _ in 0..<20 { left += try all(a, b, c) }
      let after = allocations()
      print("\\(left > 0) \\(before > 0) \\(after - before)")
    }
  }
}
"""


def test_calls_allocate_nothing(tmp_path: Path) -> None:
    toolset()
    for file in FILES:
        shutil.copy(STEPS / file, tmp_path)
    (tmp_path / "main.swift").write_text(MAIN, "utf-8")
    (tmp_path / "count.c").write_text(COUNTER, "utf-8")
    done = inside(tmp_path, CLANG, "-shared", "-fPIC", "/proof/count.c", "-o", "/proof/count.so")
    assert done.returncode == 0, done.stdout
    sources = [f"/proof/{path.name}" for path in tmp_path.glob("*.swift")]
    done = inside(tmp_path, "swiftc", "-O", "-swift-version", "6", *sources, "-o", "/proof/run")
    assert done.returncode == 0, done.stdout
    done = inside(tmp_path, "env", "LD_PRELOAD=/proof/count.so", "/proof/run")
    assert done.stdout == "true true 0\n"
