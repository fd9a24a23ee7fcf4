/// What happens to an image of another ratio.
enum Fit {
  /// The largest centred box of the target's ratio is taken.
  case crop
  /// The ratio is not kept.
  case stretch
  /// The image is made smaller and centred; the rest is filled.
  case letterbox
  /// The ratio is kept, the shorter side is the stated one.
  case shorter
}

/// Rows of a result that a step writes.
struct Canvas {
  let base: UnsafeMutablePointer<UInt8>
  let bytesPerRow: Int
}

/// Memory of a resized image, with the border that a letterbox leaves. It is kept from call to call.
final class ResizedImage {
  private let width: Int
  private let height: Int
  private let fit: Fit
  private let fill: UInt8
  private let memory = Scratch<UInt8>()

  init(width: Int, height: Int, fit: Fit, fill: UInt8) {
    self.width = width
    self.height = height
    self.fit = fit
    self.fill = fill
  }

  /// Has `body` resample the part of the image that is kept to a size and a place; where nothing changes, the result is
  /// that part of `input`. Valid until the next call.
  func resize(
    _ input: ImageView, _ body: (_ box: ImageView, _ width: Int, _ height: Int, _ to: Canvas) -> Void
  ) throws(ContractError) -> ImageView {
    let box = fit == .crop ? input.centered(ratio: width, to: height) : input
    let size = fit == .shorter ? shorter(input) : (width: width, height: height)
    if box.width == size.width, box.height == size.height { return box }
    let channels = input.channels
    let row = size.width * channels
    let bytes = memory.take(row * size.height, zero: 0)
    guard let base = bytes.baseAddress else { throw .emptyImage }
    let inner = fit == .letterbox ? letterboxed(input) : size
    if fit == .letterbox { bytes.update(repeating: fill) }
    let corner = base + (size.height - inner.height) / 2 * row + (size.width - inner.width) / 2 * channels
    let canvas = Canvas(base: corner, bytesPerRow: row)
    if box.width == inner.width, box.height == inner.height {
      for y in 0..<inner.height {
        (corner + y * row).update(from: box.base + y * box.bytesPerRow, count: inner.width * channels)
      }
    } else {
      body(box, inner.width, inner.height, canvas)
    }
    return ImageView(base: base, width: size.width, height: size.height, channels: channels, bytesPerRow: row)
  }

  /// Half a pixel rounds up.
  private func letterboxed(_ input: ImageView) -> (width: Int, height: Int) {
    let w = input.width
    let h = input.height
    if w * height >= h * width { return (width, max(1, (2 * h * width + w) / (2 * w))) }
    return (max(1, (2 * w * height + h) / (2 * h)), height)
  }

  /// The longer side is rounded down.
  private func shorter(_ input: ImageView) -> (width: Int, height: Int) {
    let w = input.width
    let h = input.height
    return w <= h ? (width, width * h / w) : (width * w / h, width)
  }
}
