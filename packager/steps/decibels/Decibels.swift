#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Power that is 0 dB.
enum DecibelReference {
  case one, max
}

/// Power to decibels in float64, rounded once; values more than `range` below the largest are raised to it (0: none).
final class Decibels {
  private let reference: DecibelReference
  private let least: Double
  private let range: Double
  private let output = Scratch<Float>()

  init(reference: DecibelReference, floor: Float, range: Float) {
    self.reference = reference
    least = Double(floor)
    self.range = Double(range)
  }

  /// As many numbers; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    var largest = least
    for power in input where Double(power) > largest { largest = Double(power) }
    let zero = 10 * log10(reference == .max ? largest : Swift.max(1, least))
    let lowest = 10 * log10(largest) - zero - range
    return output.map(input) { value in
      let power = Double(value)
      let level = 10 * log10(power < least ? least : power) - zero
      return Float(range > 0 && level < lowest ? lowest : level)
    }
  }
}
