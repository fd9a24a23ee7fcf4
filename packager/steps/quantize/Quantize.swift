/// Makes the integers of an integer model of float numbers: `clamp(round-half-away(x / scale) + zeroPoint)`.
final class Quantize {
  private let scale: Float
  private let zeroPoint: Int
  private let output = Scratch<Int8>()

  init(scale: Float, zeroPoint: Int) {
    self.scale = scale
    self.zeroPoint = zeroPoint
  }

  /// As many elements as `input`; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Int8> {
    let result = output.take(input.count, zero: 0)
    for (index, value) in input.enumerated() {
      result[index] = value.quantized(scale: scale, zeroPoint: zeroPoint)
    }
    return UnsafeBufferPointer(result)
  }
}

extension Float {
  /// `clamp(round-half-away(self / scale) + zeroPoint)`; not a number gives `zeroPoint`.
  func quantized(scale: Float, zeroPoint: Int) -> Int8 {
    let quotient = self / scale
    guard !quotient.isNaN else { return Int8(clamping: zeroPoint) }
    let rounded = Swift.max(-65536, Swift.min(65536, quotient.rounded(.toNearestOrAwayFromZero)))
    return Int8(clamping: Int(rounded) + zeroPoint)
  }
}
