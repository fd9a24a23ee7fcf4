/// Puts the channels of a colour image into another order.
final class Channels {
  private let order: [Int]
  private let output = Scratch<UInt8>()

  init(order: ChannelOrder) {
    self.order = order.indices
  }

  /// An image of the same size; valid until the next call.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try input.check(channels: order.count)
    return try output.map(input, channels: order.count) { from, to in
      for (channel, source) in order.enumerated() { to[channel] = from[source] }
    }
  }
}
