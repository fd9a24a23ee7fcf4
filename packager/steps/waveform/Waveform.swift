/// Audio to numbers in [-1, 1): the channels' mean, cut or padded with zeros at the end.
final class Waveform {
  private let samples: Int
  private let output = Scratch<Float>()

  init(samples: Int) {
    self.samples = samples
  }

  /// As many numbers as were asked for; valid until the next call.
  func run(_ input: AudioView) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let result = output.take(samples, zero: 0)
    let full = Float(32768 * input.channels)
    let kept = min(samples, input.frames)
    var from = 0
    for index in 0..<kept {
      var sum: Int32 = 0
      for _ in 0..<input.channels {
        sum += Int32(input.samples[from])
        from += 1
      }
      result[index] = Float(sum) / full
    }
    for index in kept..<samples { result[index] = 0 }
    return UnsafeBufferPointer(result)
  }
}
