#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Softmax over the last axis: `exp(x - max) / sum`, in float64, rounded once.
///
/// A row with a value that is not finite becomes NaN.
final class Softmax {
  private let rows: ExponentialRows

  init(classes: Int) {
    rows = ExponentialRows(classes: classes)
  }

  /// As many elements as `input`, a multiple of the classes; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    try rows.run(input) { moved, sum in exp(moved) / sum }
  }
}

/// Rows of as many values as there are classes, each made of its distance from the largest and the row's sum.
final class ExponentialRows {
  private let classes: Int
  private let output = Scratch<Float>()

  init(classes: Int) {
    self.classes = classes
  }

  /// `body` takes `x - max` and the sum of `exp(x - max)` in index order, both float64.
  func run(
    _ input: UnsafeBufferPointer<Float>, _ body: (Double, Double) -> Double
  ) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard classes > 0, input.count % classes == 0 else { throw .wrongSize(expected: classes, actual: input.count) }
    let result = output.take(input.count, zero: 0)
    for start in stride(from: 0, to: input.count, by: classes) {
      let row = input[start..<start + classes]
      guard row.allSatisfy(\.isFinite), let largest = row.max().map({ Double($0) }) else {
        for index in row.indices { result[index] = .nan }
        continue
      }
      var sum = 0.0
      for value in row { sum += exp(Double(value) - largest) }
      for index in row.indices { result[index] = Float(body(Double(input[index]) - largest, sum)) }
    }
    return UnsafeBufferPointer(result)
  }
}
