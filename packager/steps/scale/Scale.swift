/// `x * factor + offset`, each operation rounded; factors and offsets in turn: 1 of each, or one for each channel.
final class Scale {
  private let factors: [Float]
  private let offsets: [Float]
  private let output = Scratch<Float>()

  init(factors: [Float], offsets: [Float]) {
    self.factors = factors
    self.offsets = offsets
  }

  /// As many elements as `input`; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let result = output.take(input.count, zero: 0)
    var channel = 0
    for index in 0..<input.count {
      let product = input[index] * factors[channel]
      result[index] = product + offsets[channel]
      channel += 1
      if channel == factors.count { channel = 0 }
    }
    return UnsafeBufferPointer(result)
  }
}
