#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Softmax over the last axis: `exp(x - max) / sum`, in float64, rounded once.
///
/// A row with a value that is not finite becomes NaN.
final class Softmax {
  private let size: Int
  private let output = Scratch<Float>()
  private let powers = Scratch<Double>()

  init(classes: Int) {
    size = classes
  }

  /// As many elements as `input`, a multiple of the axis's size; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard size > 0, input.count % size == 0 else { throw .wrongSize(expected: size, actual: input.count) }
    let result = output.take(input.count, zero: 0)
    let power = powers.take(size, zero: 0)
    for start in stride(from: 0, to: input.count, by: size) {
      let row = input[start..<start + size]
      guard row.allSatisfy(\.isFinite), let greatest = row.max() else {
        for index in row.indices { result[index] = .nan }
        continue
      }
      var sum = 0.0
      for index in 0..<size {
        power[index] = exp(Double(input[start + index]) - Double(greatest))
        sum += power[index]
      }
      for index in 0..<size { result[start + index] = Float(power[index] / sum) }
    }
    return UnsafeBufferPointer(result)
  }
}
