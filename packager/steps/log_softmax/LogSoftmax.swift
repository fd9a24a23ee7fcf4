#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Logarithm of softmax over the last axis: `(x - max) - log(sum of exp(x - max))`, in float64, rounded once.
///
/// A row with a value that is not finite becomes NaN.
final class LogSoftmax {
  private let size: Int
  private let output = Scratch<Float>()

  init(classes: Int) {
    size = classes
  }

  /// As many elements as `input`, a multiple of the axis's size; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard size > 0, input.count % size == 0 else { throw .wrongSize(expected: size, actual: input.count) }
    let result = output.take(input.count, zero: 0)
    for start in stride(from: 0, to: input.count, by: size) {
      let row = input[start..<start + size]
      guard row.allSatisfy(\.isFinite), let greatest = row.max() else {
        for index in row.indices { result[index] = .nan }
        continue
      }
      var sum = 0.0
      for value in row { sum += exp(Double(value) - Double(greatest)) }
      let logarithm = log(sum)
      for index in row.indices { result[index] = Float((Double(input[index]) - Double(greatest)) - logarithm) }
    }
    return UnsafeBufferPointer(result)
  }
}
