/// Makes red, green and blue of cyan, magenta, yellow and black (0 is no ink), by Pillow's integer formula.
final class Cmyk {
  private let output = Scratch<UInt8>()

  /// An image of three channels with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try input.check(channels: 4)
    return try output.map(input, channels: 3) { from, to in
      let rest = 255 - from[3]
      for channel in 0..<3 { to[channel] = rest - div255(Int(from[channel]) * Int(rest)) }
    }
  }
}
