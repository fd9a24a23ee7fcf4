/// Puts the channels of an image into another order.
final class Channels {
  private let order: [Int]
  private let output = Scratch<UInt8>()

  init(order: ChannelOrder) {
    self.order = order.indices
  }

  /// An image of the same size with dense rows; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    guard input.channels == order.count else {
      throw .wrongChannels(expected: order.count, actual: input.channels)
    }
    let row = input.width * input.channels
    let result = output.take(row * input.height, zero: 0)
    guard let base = result.baseAddress else { throw .emptyImage }
    for y in 0..<input.height {
      let source = input.base + y * input.bytesPerRow
      let target = base + y * row
      for x in stride(from: 0, to: row, by: order.count) {
        for (channel, from) in order.enumerated() { target[x + channel] = source[x + from] }
      }
    }
    return ImageView(
      base: base, width: input.width, height: input.height, channels: input.channels, bytesPerRow: row)
  }
}
