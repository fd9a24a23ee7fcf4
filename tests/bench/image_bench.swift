// The Swift side of image_bench.py: lines of a name and milliseconds.
import Glibc

func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
  return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) * 1e-6
}

func best(_ name: String, _ runs: Int, _ work: () throws -> Void) rethrows {
  var least = Double.infinity
  for _ in 0..<runs {
    let started = now()
    try work()
    least = min(least, now() - started)
  }
  print(name, least)
}

func bytes(_ range: Range<Int>) -> [UInt8] {
  range.map { UInt8(truncatingIfNeeded: (UInt32($0) &* 1_664_525 &+ 1_013_904_223) >> 24) }
}

let luma = 1280 * 720
let photo = try RawImage(pixels: bytes(0..<4000 * 3000 * 3), width: 4000, height: 3000)
let frame = try Frame(
  y: bytes(0..<luma), u: bytes(luma + 1..<luma * 3 / 2), v: bytes(luma..<luma * 3 / 2), width: 1280, height: 720,
  yStride: 1280, uvStride: 1280, uvStep: 2)
let normalize = Normalize(mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375], order: .rgb)
let stretch = ResizePillow(width: 224, height: 224, fit: .stretch, filter: .bilinear, fill: 0)
let crop = ResizePillow(width: 224, height: 224, fit: .crop, filter: .bilinear, fill: 0)
let yuv = Yuv(range: .limited, rotation: 90)
try photo.withView { view in
  try best("photo", 15) { _ = try normalize.run(stretch.run(view)) }
}
try frame.withView { view in
  try best("frame", 30) { _ = try normalize.run(crop.run(yuv.run(view))) }
}
