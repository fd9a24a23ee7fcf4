/// Makes one grey channel of red, green and blue, by Pillow's integer formula.
final class Grey {
  private let output = Scratch<UInt8>()

  /// An image of one channel with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    guard input.channels == 3 else { throw .wrongChannels(expected: 3, actual: input.channels) }
    guard let base = output.take(input.width * input.height, zero: 0).baseAddress else { throw .emptyImage }
    for y in 0..<input.height {
      var source = input.base + y * input.bytesPerRow
      let target = base + y * input.width
      for x in 0..<input.width {
        let red = UInt32(source[0]) * 19595
        let green = UInt32(source[1]) * 38470
        let blue = UInt32(source[2]) * 7471
        target[x] = UInt8(truncatingIfNeeded: (red + green + blue + 0x8000) >> 16)
        source += 3
      }
    }
    return ImageView(
      base: base, width: input.width, height: input.height, channels: 1, bytesPerRow: input.width)
  }
}
