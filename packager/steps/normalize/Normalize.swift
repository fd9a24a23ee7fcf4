/// `(x - mean) / std` of an 8-bit image, by one table per channel.
final class Normalize {
  private let order: [Int]
  private let tables: [Float]
  private let output = Scratch<Float>()

  init(mean: [Double], std: [Double], order: ChannelOrder) {
    self.order = order.indices
    tables = normalizationTables(mean: mean, std: std, channels: order.indices.count)
  }

  /// One float per channel and pixel, rows from top to bottom; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let result = output.take(input.width * input.height * order.count, zero: 0)
    try lookUp(tables, of: input, order: order, into: result)
    return UnsafeBufferPointer(result)
  }
}

/// `(x - mean) / std` of float numbers whose last axis is the channel, in single float operations.
final class NormalizeFloats {
  private let mean: [Float]
  private let std: [Float]
  private let output = Scratch<Float>()

  init(mean: [Float], std: [Float]) {
    self.mean = mean
    self.std = std
  }

  /// As many elements as `input`; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard input.count % mean.count == 0 else { throw .wrongSize(expected: mean.count, actual: input.count) }
    let result = output.take(input.count, zero: 0)
    for (index, value) in input.enumerated() {
      let channel = index % mean.count
      result[index] = (value - mean[channel]) / std[channel]
    }
    return UnsafeBufferPointer(result)
  }
}

/// ``Normalize`` and the quantisation of an integer model in one table: pixels go straight to int8.
final class NormalizeQuantize {
  private let order: [Int]
  private let tables: [Int8]
  private let output = Scratch<Int8>()

  init(mean: [Double], std: [Double], order: ChannelOrder, scale: Float, zeroPoint: Int) {
    self.order = order.indices
    tables = normalizationTables(mean: mean, std: std, channels: order.indices.count)
      .map { $0.quantized(scale: scale, zeroPoint: zeroPoint) }
  }

  /// One int8 per channel and pixel, rows from top to bottom; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> UnsafeBufferPointer<Int8> {
    let result = output.take(input.width * input.height * order.count, zero: 0)
    try lookUp(tables, of: input, order: order, into: result)
    return UnsafeBufferPointer(result)
  }
}

/// 256 entries for each channel of the model: `Float((v - mean) / std)`, computed in float64.
private func normalizationTables(mean: [Double], std: [Double], channels: Int) -> [Float] {
  var tables: [Float] = []
  tables.reserveCapacity(256 * channels)
  for channel in 0..<channels {
    let channelMean = mean[mean.count == 1 ? 0 : channel]
    let channelStd = std[std.count == 1 ? 0 : channel]
    for value in 0..<256 { tables.append(Float((Double(value) - channelMean) / channelStd)) }
  }
  return tables
}

/// Writes `tables[channel][pixel]` for each channel of each pixel.
private func lookUp<T>(
  _ tables: [T], of input: ImageView, order: [Int], into result: UnsafeMutableBufferPointer<T>
) throws(ContractError) {
  guard input.channels == order.count else {
    throw .wrongChannels(expected: order.count, actual: input.channels)
  }
  let channels = order.count
  tables.withUnsafeBufferPointer { tables in
    for y in 0..<input.height {
      let row = input.base + y * input.bytesPerRow
      let target = y * input.width * channels
      for channel in 0..<channels {
        var source = order[channel]
        for x in 0..<input.width {
          result[target + x * channels + channel] = tables[channel * 256 + Int(row[source])]
          source += channels
        }
      }
    }
  }
}
