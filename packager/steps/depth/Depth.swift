/// Makes an 8-bit image of 16-bit pixels: the high byte of each value.
final class Depth {
  private let width: Int
  private let height: Int
  private let channels: Int
  private let output = Scratch<UInt8>()

  init(width: Int, height: Int, channels: Int) {
    self.width = width
    self.height = height
    self.channels = channels
  }

  /// An image with dense rows, of rows without gaps; valid until the next call.
  func run(_ input: UnsafeBufferPointer<UInt16>) throws(ContractError) -> ImageView {
    let row = width * channels
    guard input.count == row * height else { throw .wrongSize(expected: row * height, actual: input.count) }
    guard let base = output.take(input.count, zero: 0).baseAddress else { throw .emptyImage }
    for index in 0..<input.count { base[index] = UInt8(truncatingIfNeeded: input[index] >> 8) }
    return ImageView(base: base, width: width, height: height, channels: channels, bytesPerRow: row)
  }
}
