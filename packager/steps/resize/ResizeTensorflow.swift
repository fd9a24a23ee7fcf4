/// `tf.image.resize` of TensorFlow 2.21 with `method="nearest"`, equal to the bit.
final class ResizeTensorflowNearest {
  private let width: Int
  private let height: Int
  private let fit: Fit
  private let output = Scratch<UInt8>()
  private let places = (columns: Scratch<Int>(), rows: Scratch<Int>())

  init(width: Int, height: Int, fit: Fit) {
    self.width = width
    self.height = height
    self.fit = fit
  }

  /// An image of the stated size; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    let box = fit.box(of: input, width: width, height: height)
    let channels = box.channels
    guard let base = output.take(width * height * channels, zero: 0).baseAddress else { throw .emptyImage }
    let columns = nearest(size: box.width, out: width, places.columns)
    var target = base
    for row in nearest(size: box.height, out: height, places.rows) {
      for column in columns {
        target.update(from: box.base + row * box.bytesPerRow + column * channels, count: channels)
        target += channels
      }
    }
    return ImageView(base: base, width: width, height: height, channels: channels, bytesPerRow: width * channels)
  }
}

/// `tf.image.resize` with `method="bilinear"`: numbers in 0...255; every operation is one rounded float operation.
final class ResizeTensorflow {
  private let width: Int
  private let height: Int
  private let fit: Fit
  private let output = Scratch<Float>()
  private let places = (columns: Scratch<Neighbours>(), rows: Scratch<Neighbours>())

  init(width: Int, height: Int, fit: Fit) {
    self.width = width
    self.height = height
    self.fit = fit
  }

  /// One float per channel and pixel, rows from top to bottom; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let box = fit.box(of: input, width: width, height: height)
    let channels = box.channels
    let result = output.take(width * height * channels, zero: 0)
    let columns = neighbours(size: box.width, out: width, places.columns)
    var next = 0
    for row in neighbours(size: box.height, out: height, places.rows) {
      let above = box.base + row.lower * box.bytesPerRow
      let below = box.base + row.upper * box.bytesPerRow
      for column in columns {
        let left = column.lower * channels
        let right = column.upper * channels
        for channel in 0..<channels {
          let top = blend(Float(above[left + channel]), Float(above[right + channel]), column.share)
          let bottom = blend(Float(below[left + channel]), Float(below[right + channel]), column.share)
          result[next] = blend(top, bottom, row.share)
          next += 1
        }
      }
    }
    return UnsafeBufferPointer(result)
  }
}

/// `tf.image.resize` with `method="bilinear", antialias=True`: weighted sums of rows, then of columns, in float.
final class ResizeTensorflowAntialias {
  private let width: Int
  private let height: Int
  private let fit: Fit
  private let sums = Scratch<Float>()
  private let output = Scratch<Float>()
  private let columnSpans = Spans()
  private let rowSpans = Spans()

  init(width: Int, height: Int, fit: Fit) {
    self.width = width
    self.height = height
    self.fit = fit
  }

  /// One float per channel and pixel, rows from top to bottom; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let box = fit.box(of: input, width: width, height: height)
    let channels = box.channels
    let sum = sums.take(box.width * channels, zero: 0)
    let result = output.take(width * height * channels, zero: 0)
    columnSpans.make(size: box.width, out: width)
    rowSpans.make(size: box.height, out: height)
    var next = 0
    for row in 0..<height {
      sum.update(repeating: 0)
      let start = rowSpans.starts[row]
      for tap in 0..<rowSpans.counts[row] {
        let source = box.base + (start + tap) * box.bytesPerRow
        let weight = rowSpans.weight(row, tap)
        for index in sum.indices { sum[index] += Float(source[index]) * weight }
      }
      for column in 0..<width {
        let start = columnSpans.starts[column]
        for channel in 0..<channels {
          var total: Float = 0
          for tap in 0..<columnSpans.counts[column] {
            total += sum[(start + tap) * channels + channel] * columnSpans.weight(column, tap)
          }
          result[next] = total
          next += 1
        }
      }
    }
    return UnsafeBufferPointer(result)
  }
}

extension Fit {
  /// The part of the image that is resized; a letterbox is not there like TensorFlow.
  fileprivate func box(of input: ImageView, width: Int, height: Int) -> ImageView {
    self == .crop ? input.centered(ratio: width, to: height) : input
  }
}

private func blend(_ from: Float, _ to: Float, _ share: Float) -> Float {
  from + (to - from) * share
}

/// Input index of each of `out` outputs along an axis of `size` inputs; valid until the next call.
private func nearest(size: Int, out: Int, _ memory: Scratch<Int>) -> UnsafeMutableBufferPointer<Int> {
  let scale = Float(size) / Float(out)
  let places = memory.take(out, zero: 0)
  for index in 0..<out {
    places[index] = min(Int(((Float(index) + 0.5) * scale).rounded(.down)), size - 1)
  }
  return places
}

/// Lower and upper input index of an output, and the upper one's share.
private struct Neighbours: BitwiseCopyable {
  var lower = 0
  var upper = 0
  var share: Float = 0
}

/// Those of each of `out` outputs along an axis of `size` inputs; valid until the next call.
private func neighbours(
  size: Int, out: Int, _ memory: Scratch<Neighbours>
) -> UnsafeMutableBufferPointer<Neighbours> {
  let scale = Float(size) / Float(out)
  let places = memory.take(out, zero: Neighbours())
  for index in 0..<out {
    let position = (Float(index) + 0.5) * scale - 0.5
    let whole = position.rounded(.down)
    places[index] = Neighbours(
      lower: max(Int(whole), 0), upper: min(Int(whole) + 1, size - 1), share: position - whole)
  }
  return places
}

/// For each output along an axis the first input, how many follow, and the triangle's weights for them.
private final class Spans {
  private(set) var starts = UnsafeMutableBufferPointer<Int>(start: nil, count: 0)
  private(set) var counts = UnsafeMutableBufferPointer<Int>(start: nil, count: 0)
  private var weights = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  private var length = 0
  private let memory = (starts: Scratch<Int>(), counts: Scratch<Int>(), weights: Scratch<Float>())

  func weight(_ index: Int, _ tap: Int) -> Float { weights[index * length + tap] }

  func make(size: Int, out: Int) {
    let inverse = 1 / (Float(out) / Float(size))
    let kernel = max(inverse, 1)
    length = Int(2 * kernel) + 2
    starts = memory.starts.take(out, zero: 0)
    counts = memory.counts.take(out, zero: 0)
    weights = memory.weights.take(out * length, zero: 0)
    for index in 0..<out {
      let sample = (Float(index) + 0.5) * inverse
      let start = min(max(Int((sample - kernel - 0.5).rounded(.up)), 0), size - 1)
      let end = min(max(Int((sample + kernel - 0.5).rounded(.down)), 0), size - 1)
      starts[index] = start
      counts[index] = end - start + 1
      weigh(index, sample: sample, narrow: 1 / kernel)
    }
  }

  private func weigh(_ index: Int, sample: Float, narrow: Float) {
    let own = index * length..<index * length + counts[index]
    var total: Float = 0
    for at in own {
      let place = Float(starts[index] + at - own.lowerBound) + 0.5
      weights[at] = max(0, 1 - abs((place - sample) * narrow))
      total += weights[at]
    }
    // Below it TensorFlow leaves the weights as they are.
    if abs(total) >= 1000 * Float.leastNormalMagnitude {
      let share = 1 / total
      for at in own { weights[at] *= share }
    }
  }
}
