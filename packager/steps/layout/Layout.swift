/// Puts channels before rows and columns: `[1, height, width, channels]` to `[1, channels, height, width]`.
final class LayoutNchw {
  private let pixels: Int
  private let channels: Int
  private let output = Scratch<Float>()

  init(pixels: Int, channels: Int) {
    self.pixels = pixels
    self.channels = channels
  }

  /// As many elements as `input`; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard input.count == pixels * channels else {
      throw .wrongSize(expected: pixels * channels, actual: input.count)
    }
    let result = output.take(input.count, zero: 0)
    for channel in 0..<channels {
      for pixel in 0..<pixels { result[channel * pixels + pixel] = input[pixel * channels + channel] }
    }
    return UnsafeBufferPointer(result)
  }
}
