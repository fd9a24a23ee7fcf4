/// Takes the first three of four channels: colours as they are, without transparency.
final class AlphaDrop {
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
        target.update(from: source, count: 3)
        source += 4
        target += 3
      }
    }
    return ImageView(base: base, width: input.width, height: input.height, channels: 3, bytesPerRow: row)
  }
}

/// Lays colours with transparency over a grey level: what Pillow's `paste` with a mask does.
final class AlphaOver {
  private let background: Int32
  private let output = Scratch<UInt8>()

  init(background: Int32) {
    self.background = background
  }

  /// An image of three channels with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    guard input.channels == 4 else { throw .wrongChannels(expected: 4, actual: input.channels) }
    let row = input.width * 3
    guard let base = output.take(row * input.height, zero: 0).baseAddress else { throw .emptyImage }
    for y in 0..<input.height {
      var source = input.base + y * input.bytesPerRow
      var target = base + y * row
      for _ in 0..<input.width {
        let alpha = Int32(source[3])
        let behind = background * (255 - alpha)
        for channel in 0..<3 {
          target[channel] = UInt8(clamping: roundedOver255(behind + Int32(source[channel]) * alpha))
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
