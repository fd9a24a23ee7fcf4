#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Base of a logarithm.
enum LogBase {
  case e, ten
}

/// `log(max(x, floor) + offset)` in float64, rounded once.
final class LogSpectrum {
  private let floor: Float
  private let offset: Float
  private let base: LogBase
  private let output = Scratch<Float>()

  init(floor: Float, offset: Float, base: LogBase) {
    self.floor = floor
    self.offset = offset
    self.base = base
  }

  /// As many numbers; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    output.map(input) { value in
      let x = Double(value < floor ? floor : value) + Double(offset)
      return Float(base == .e ? log(x) : log10(x))
    }
  }
}
