/// A filter bank over rows of values: filter i takes `counts[i]` columns from `starts[i]`, and its weights follow those of
/// the filter before it. Sums in float64, rounded once.
final class Mel {
  private let columns: Int
  private let starts: [Int]
  private let counts: [Int]
  private let weights: [Float]
  private let output = Scratch<Float>()

  init(columns: Int, starts: [Int], counts: [Int], weights: [Float]) {
    self.columns = columns
    self.starts = starts
    self.counts = counts
    self.weights = weights
  }

  /// One number for each filter and row; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard input.count % columns == 0 else { throw .wrongSize(expected: columns, actual: input.count) }
    let frames = input.count / columns
    let filters = starts.count
    let result = output.take(frames * filters, zero: 0)
    for t in 0..<frames {
      var weight = 0
      for filter in 0..<filters {
        let from = t * columns + starts[filter]
        var sum = 0.0
        for k in from..<from + counts[filter] {
          sum += Double(input[k]) * Double(weights[weight])
          weight += 1
        }
        result[t * filters + filter] = Float(sum)
      }
    }
    return UnsafeBufferPointer(result)
  }
}
