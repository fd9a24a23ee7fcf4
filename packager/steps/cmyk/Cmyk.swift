/// Makes red, green and blue of cyan, magenta, yellow and black (0 is no ink), by Pillow's integer formula.
final class Cmyk {
  private let output = Scratch<UInt8>()

  /// An image of three channels with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    guard input.channels == 4 else { throw .wrongChannels(expected: 4, actual: input.channels) }
    let row = input.width * 3
    guard let base = output.take(row * input.height, zero: 0).baseAddress else { throw .emptyImage }
    for y in 0..<input.height {
      var source = input.base + y * input.bytesPerRow
      var target = base + y * row
      for _ in 0..<input.width {
        let rest = 255 - Int32(source[3])
        for channel in 0..<3 {
          target[channel] = UInt8(clamping: rest - roundedOver255(Int32(source[channel]) * rest))
        }
        source += 4
        target += 3
      }
    }
    return ImageView(base: base, width: input.width, height: input.height, channels: 3, bytesPerRow: row)
  }
}

/// A product of two bytes divided by 255, rounded.
private func roundedOver255(_ product: Int32) -> Int32 {
  let sum = product + 128
  return ((sum >> 8) + sum) >> 8
}
