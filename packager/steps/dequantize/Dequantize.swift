/// Makes float numbers of the integers of an integer model: `(q - zeroPoint) * scale`.
final class Dequantize {
  private let scale: Float
  private let zeroPoint: Int
  private let output = Scratch<Float>()

  init(scale: Float, zeroPoint: Int) {
    self.scale = scale
    self.zeroPoint = zeroPoint
  }

  /// As many elements as `input`; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Int8>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let result = output.take(input.count, zero: 0)
    for (index, value) in input.enumerated() {
      result[index] = Float(Int(value) - zeroPoint) * scale
    }
    return UnsafeBufferPointer(result)
  }
}
