/// Mean of squared differences, or of their magnitudes.
enum ErrorMetric {
  case mse, mae
}

/// The mean error of a reconstruction against what was given: float64 in index order, rounded once.
final class ReconstructionError {
  private let metric: ErrorMetric
  private let output = Scratch<Float>()

  init(metric: ErrorMetric) {
    self.metric = metric
  }

  /// One number; valid until the next call.
  func run(
    _ input: UnsafeBufferPointer<Float>, _ given: UnsafeBufferPointer<Float>
  ) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard !input.isEmpty, input.count == given.count else {
      throw .wrongSize(expected: max(1, input.count), actual: given.count)
    }
    var sum = 0.0
    for index in 0..<input.count {
      let difference = Double(input[index]) - Double(given[index])
      let square = difference * difference
      sum += metric == .mse ? square : abs(difference)
    }
    let result = output.take(1, zero: 0)
    result[0] = Float(sum / Double(input.count))
    return UnsafeBufferPointer(result)
  }
}
