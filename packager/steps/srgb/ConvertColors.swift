/// Colours of one space to another, in integers: linear light of each level, a 3 x 3 matrix (row by row), and the least
/// sum of each level from 1 to 255.
final class ConvertColors {
  private static let bucketBits: Int32 = 20
  private static let bucketCount = 1 << 10

  private let linear: [Int32]
  private let thresholds: [Int32]
  private let matrix: [Int32]
  /// Level of the first sum of each bucket; the sums of one differ in their low bits only.
  private var buckets: [Int]
  private let output = Scratch<UInt8>()

  init(linear: [Int32], thresholds: [Int32], matrix: [Int32]) {
    self.linear = linear
    self.thresholds = thresholds
    self.matrix = matrix
    buckets = []
    var level = 0
    for bucket in 0..<Int32(Self.bucketCount) {
      while level < 255, thresholds[level] <= bucket << Self.bucketBits { level += 1 }
      buckets.append(level)
    }
  }

  /// An image of the same size; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try input.check(channels: 3)
    return try output.map(input, channels: 3) { from, to in
      let red = linear[Int(from[0])]
      let green = linear[Int(from[1])]
      let blue = linear[Int(from[2])]
      for channel in 0..<3 {
        let row = channel * 3
        to[channel] = level(matrix[row] &* red &+ matrix[row + 1] &* green &+ matrix[row + 2] &* blue)
      }
    }
  }

  /// Number of thresholds that are not above the sum.
  private func level(_ sum: Int32) -> UInt8 {
    if sum < 0 { return 0 }
    let bucket = Int(sum >> Self.bucketBits)
    if bucket >= Self.bucketCount { return 255 }
    var level = buckets[bucket]
    while level < 255, thresholds[level] <= sum { level += 1 }
    return UInt8(level)
  }
}
