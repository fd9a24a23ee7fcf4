/// `tf.image.resize` of TensorFlow 2.21 with `method="nearest"`, equal to the bit.
final class ResizeTensorflowNearest {
  private let width: Int
  private let height: Int
  private let fit: Fit
  private let output = Scratch<UInt8>()

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
    let columns = nearest(size: box.width, out: width)
    var target = base
    for row in nearest(size: box.height, out: height) {
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
    let columns = neighbours(size: box.width, out: width)
    var next = 0
    for row in neighbours(size: box.height, out: height) {
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
    let columns = spans(size: box.width, out: width)
    var next = 0
    for row in spans(size: box.height, out: height) {
      sum.update(repeating: 0)
      for (tap, weight) in row.weights.enumerated() {
        let source = box.base + (row.start + tap) * box.bytesPerRow
        for index in sum.indices { sum[index] += Float(source[index]) * weight }
      }
      for column in columns {
        for channel in 0..<channels {
          var total: Float = 0
          for (tap, weight) in column.weights.enumerated() {
            total += sum[(column.start + tap) * channels + channel] * weight
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

/// Input index of each of `out` outputs along an axis of `size` inputs.
private func nearest(size: Int, out: Int) -> [Int] {
  let scale = Float(size) / Float(out)
  return (0..<out).map { min(Int(((Float($0) + 0.5) * scale).rounded(.down)), size - 1) }
}

/// Lower and upper input index of each output, and the upper one's share.
private func neighbours(size: Int, out: Int) -> [(lower: Int, upper: Int, share: Float)] {
  let scale = Float(size) / Float(out)
  return (0..<out).map { index in
    let position = (Float(index) + 0.5) * scale - 0.5
    let whole = position.rounded(.down)
    return (max(Int(whole), 0), min(Int(whole) + 1, size - 1), position - whole)
  }
}

/// For each output the first input, and the triangle's weights from there on.
private func spans(size: Int, out: Int) -> [(start: Int, weights: [Float])] {
  let inverse = 1 / (Float(out) / Float(size))
  let kernel = max(inverse, 1)
  let narrow = 1 / kernel
  return (0..<out).map { index in
    let sample = (Float(index) + 0.5) * inverse
    let start = min(max(Int((sample - kernel - 0.5).rounded(.up)), 0), size - 1)
    let end = min(max(Int((sample + kernel - 0.5).rounded(.down)), 0), size - 1)
    var weights = (start...end).map { max(0, 1 - abs((Float($0) + 0.5 - sample) * narrow)) }
    var total: Float = 0
    for weight in weights { total += weight }
    // Below it TensorFlow leaves the weights as they are.
    if abs(total) >= 1000 * Float.leastNormalMagnitude {
      let share = 1 / total
      for tap in weights.indices { weights[tap] *= share }
    }
    return (start, weights)
  }
}
