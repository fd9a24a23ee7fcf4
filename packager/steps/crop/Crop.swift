/// Takes the centred part of a stated size.
final class CropSize {
  private let width: Int
  private let height: Int

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// A part of `input`, valid as long as it.
  ///
  /// - Throws: ``ContractError/wrongSize(expected:actual:)`` with the first side that is too short.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    guard input.width >= width else { throw .wrongSize(expected: width, actual: input.width) }
    guard input.height >= height else { throw .wrongSize(expected: height, actual: input.height) }
    return input.centered(width: width, height: height)
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
