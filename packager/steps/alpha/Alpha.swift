/// Takes the first three of four channels: colours as they are, without transparency.
final class AlphaDrop {
  private let output = Scratch<UInt8>()

  /// An image of three channels with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try input.check(channels: 4)
    return try output.map(input, channels: 3) { from, to in
      for channel in 0..<3 { to[channel] = from[channel] }
    }
  }
}

/// Lays colours with transparency over a grey level: what Pillow's `paste` with a mask does.
final class AlphaOver {
  private let background: Int
  private let output = Scratch<UInt8>()

  init(background: Int) {
    self.background = background
  }

  /// An image of three channels with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try input.check(channels: 4)
    return try output.map(input, channels: 3) { from, to in
      let alpha = Int(from[3])
      let behind = background * (255 - alpha)
      for channel in 0..<3 { to[channel] = div255(behind + Int(from[channel]) * alpha) }
    }
  }
}
