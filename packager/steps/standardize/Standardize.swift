/// What keeps a flat image from a division by zero.
enum SpreadGuard {
  /// The spread is at least `1 / sqrt(n)`.
  case tensorflow
  /// `1e-6` is added to the spread.
  case keras

  /// What the centred values are divided by.
  fileprivate func divisor(variance: Double, size: Int) -> Double {
    let spread = variance.squareRoot()
    switch self {
    case .tensorflow: return max(spread, 1 / Double(size).squareRoot())
    case .keras: return spread + 1e-6
    }
  }
}

/// An 8-bit image minus the mean of all its values, over their spread: in float64 by its histogram, rounded once.
final class Standardize {
  private let spreadGuard: SpreadGuard
  private let counts = Scratch<Int>()
  private let table = Scratch<Float>()
  private let output = Scratch<Float>()

  init(guard spreadGuard: SpreadGuard) {
    self.spreadGuard = spreadGuard
  }

  /// One float per channel and pixel, rows from top to bottom; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let row = input.width * input.channels
    let size = row * input.height
    guard size > 0 else { throw .emptyImage }
    let levels = levels(of: histogram(of: input), size: size)
    let result = output.take(size, zero: 0)
    for y in 0..<input.height {
      let source = input.base + y * input.bytesPerRow
      for x in 0..<row { result[y * row + x] = levels[Int(source[x])] }
    }
    return UnsafeBufferPointer(result)
  }

  /// How often each of the 256 levels is there.
  private func histogram(of input: ImageView) -> UnsafeMutableBufferPointer<Int> {
    let count = counts.take(256, zero: 0)
    count.update(repeating: 0)
    for y in 0..<input.height {
      let source = input.base + y * input.bytesPerRow
      for x in 0..<input.width * input.channels { count[Int(source[x])] += 1 }
    }
    return count
  }

  /// What each level becomes.
  private func levels(of count: UnsafeMutableBufferPointer<Int>, size: Int) -> UnsafeMutableBufferPointer<Float> {
    var sum = 0
    for value in 0..<256 { sum += count[value] * value }
    let mean = Double(sum) / Double(size)
    var squares = 0.0
    for value in 0..<256 {
      let off = Double(value) - mean
      squares += Double(count[value]) * (off * off)
    }
    let divisor = spreadGuard.divisor(variance: squares / Double(size), size: size)
    let levels = table.take(256, zero: 0)
    for value in 0..<256 { levels[value] = Float((Double(value) - mean) / divisor) }
    return levels
  }
}

/// Float numbers minus the mean of their channel (1 channel: of all), over the spread: in float64, sums in index order,
/// rounded once.
final class StandardizeFloats {
  private let spreadGuard: SpreadGuard
  private let channels: Int
  private let output = Scratch<Float>()

  init(guard spreadGuard: SpreadGuard, channels: Int) {
    self.spreadGuard = spreadGuard
    self.channels = channels
  }

  /// As many elements as `input`; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard input.count >= channels else { throw .wrongSize(expected: channels, actual: input.count) }
    let result = output.take(input.count, zero: 0)
    for channel in 0..<channels { standardize(input, into: result, channel: channel) }
    return UnsafeBufferPointer(result)
  }

  private func standardize(
    _ input: UnsafeBufferPointer<Float>, into result: UnsafeMutableBufferPointer<Float>, channel: Int
  ) {
    let count = input.count / channels
    var sum = 0.0
    for row in 0..<count { sum += Double(input[row * channels + channel]) }
    let mean = sum / Double(count)
    var squares = 0.0
    for row in 0..<count {
      let off = Double(input[row * channels + channel]) - mean
      squares += off * off
    }
    let divisor = spreadGuard.divisor(variance: squares / Double(count), size: count)
    for index in stride(from: channel, to: input.count, by: channels) {
      result[index] = Float((Double(input[index]) - mean) / divisor)
    }
  }
}
