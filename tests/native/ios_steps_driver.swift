import Foundation

@testable import Steps

enum DriverError: Error { case notCounted }

final class Driver {
  let input: [UInt8]
  var output: [UInt8] = []
  /// For each case how often its second run asked for memory, until the step returned; -1 where it threw.
  private(set) var allocated: [Int] = []
  private var made = 0
  private let allocations: @convention(c) () -> Int

  init() throws {
    guard let counter = dlsym(nil, "allocations") else { throw DriverError.notCounted }
    allocations = unsafeBitCast(counter, to: (@convention(c) () -> Int).self)
    input = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "/proof/input.bin")))
  }

  /// Memory that was asked for since this process started.
  var total: Int { allocations() }

  func start() { made = allocations() }

  func stop() { made = allocations() - made }

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
      precondition(first == second, "\(name): the second run differs")
      allocated.append(made)
      emit(0, first)
    } catch {
      allocated.append(-1)
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
