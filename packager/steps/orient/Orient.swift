/// Turns and mirrors an image as its EXIF orientation (1 to 8) says.
final class Orient {
  private let orientation: Int
  private let output = Scratch<UInt8>()

  init(orientation: Int) {
    self.orientation = orientation
  }

  /// The upright image, with dense rows; valid until the next call, and as long as `input` for orientation 1.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    if orientation == 1 { return input }
    let isTurned = orientation >= 5
    let isMirroredAcross = (orientation & 2) != 0
    let isMirroredDown = (orientation - 1) & 2 != 0
    let width = isTurned ? input.height : input.width
    let height = isTurned ? input.width : input.height
    let channels = input.channels
    let across = isTurned ? input.bytesPerRow : channels
    let down = isTurned ? channels : input.bytesPerRow
    guard var target = output.take(width * height * channels, zero: 0).baseAddress else { throw .emptyImage }
    let base = target
    for y in 0..<height {
      let row = input.base + (isMirroredDown ? height - 1 - y : y) * down
      for x in 0..<width {
        target.update(from: row + (isMirroredAcross ? width - 1 - x : x) * across, count: channels)
        target += channels
      }
    }
    return ImageView(
      base: base, width: width, height: height, channels: channels, bytesPerRow: width * channels)
  }
}
