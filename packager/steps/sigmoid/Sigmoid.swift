#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `1 / (1 + exp(-x))` of each element, in float64 and without overflow, rounded once.
final class Sigmoid {
  private let output = Scratch<Float>()

  /// As many elements as `input`; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    output.map(input) { value in
      let small = exp(-Double(value.magnitude))
      return Float((value >= 0 ? 1 : small) / (1 + small))
    }
  }
}
