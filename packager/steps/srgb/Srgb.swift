/// Takes colours to another space, in integers: to linear light by a table, by a matrix, to levels by thresholds.
final class ConvertColors {
  private static let bucketBits: Int32 = 20
  private static let bucketCount: Int32 = 1 << (30 - bucketBits)

  private let linear: [Int32]
  private let thresholds: [Int32]
  private let matrix: [Int32]
  /// For the first sum of each bucket the level; few thresholds share a bucket.
  private let buckets: [UInt8]
  private let output = Scratch<UInt8>()

  /// 256 linear values, 255 sums at which the next level begins, and three rows of three factors.
  init(linear: [Int32], thresholds: [Int32], matrix: [Int32]) {
    self.linear = linear
    self.thresholds = thresholds
    self.matrix = matrix
    var level = 0
    buckets = (0..<Self.bucketCount).map { bucket in
      while level < thresholds.count, thresholds[level] <= bucket << Self.bucketBits { level += 1 }
      return UInt8(level)
    }
  }

  /// An image of the same size with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    guard input.channels == 3 else { throw .wrongChannels(expected: 3, actual: input.channels) }
    let row = input.width * 3
    guard let base = output.take(row * input.height, zero: 0).baseAddress else { throw .emptyImage }
    for y in 0..<input.height {
      let source = input.base + y * input.bytesPerRow
      let target = base + y * row
      for x in stride(from: 0, to: row, by: 3) {
        let red = linear[Int(source[x])]
        let green = linear[Int(source[x + 1])]
        let blue = linear[Int(source[x + 2])]
        for channel in 0..<3 {
          let first = 3 * channel
          let sum = matrix[first] * red + matrix[first + 1] * green + matrix[first + 2] * blue
          target[x + channel] = level(of: sum)
        }
      }
    }
    return ImageView(base: base, width: input.width, height: input.height, channels: 3, bytesPerRow: row)
  }

  /// Number of thresholds that are not above the sum.
  private func level(of sum: Int32) -> UInt8 {
    if sum < 0 { return 0 }
    let bucket = sum >> Self.bucketBits
    if bucket >= Self.bucketCount { return 255 }
    var level = Int(buckets[Int(bucket)])
    while level < thresholds.count, thresholds[level] <= sum { level += 1 }
    return UInt8(level)
  }
}
