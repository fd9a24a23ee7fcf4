/// Makes one grey channel of red, green and blue, by Pillow's integer formula.
final class Grey {
  private let output = Scratch<UInt8>()

  /// An image of one channel with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try input.check(channels: 3)
    return try output.map(input, channels: 1) { from, to in
      let sum = UInt32(from[0]) * 19595 + UInt32(from[1]) * 38470 + UInt32(from[2]) * 7471
      to[0] = UInt8(truncatingIfNeeded: (sum + 0x8000) >> 16)
    }
  }
}
