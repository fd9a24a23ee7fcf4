/// What becomes of half a pixel left of or above a centred part.
enum Rounding {
  case down, even

  fileprivate func margin(_ rest: Int) -> Int {
    rest / 2 + (self == .even && rest % 4 == 3 ? 1 : 0)
  }
}

/// Takes the centred part of a stated size.
final class CropSize {
  private let width: Int
  private let height: Int
  private let rounding: Rounding

  init(width: Int, height: Int, rounding: Rounding) {
    self.width = width
    self.height = height
    self.rounding = rounding
  }

  /// A part of `input`, valid as long as it.
  ///
  /// - Throws: ``ContractError/wrongSize(expected:actual:)`` with the first side that is too short.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    guard input.width >= width else { throw .wrongSize(expected: width, actual: input.width) }
    guard input.height >= height else { throw .wrongSize(expected: height, actual: input.height) }
    let top = rounding.margin(input.height - height)
    let left = rounding.margin(input.width - width)
    return ImageView(
      base: input.base + top * input.bytesPerRow + left * input.channels, width: width, height: height,
      channels: input.channels, bytesPerRow: input.bytesPerRow)
  }
}

/// Takes the largest centred part of a ratio.
final class CropRatio {
  private let across: Int
  private let down: Int

  init(across: Int, down: Int) {
    self.across = across
    self.down = down
  }

  /// A part of `input`, valid as long as it.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    input.centered(ratio: across, to: down)
  }
}
