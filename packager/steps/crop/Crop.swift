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
    return centred(input, width: width, height: height)
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
    let width = max(1, min(input.width, input.height * across / down))
    let height = max(1, min(input.height, input.width * down / across))
    return centred(input, width: width, height: height)
  }
}

/// The centred part of a size, left and top rounded down.
private func centred(_ input: ImageView, width: Int, height: Int) -> ImageView {
  let left = (input.width - width) / 2
  let top = (input.height - height) / 2
  return ImageView(
    base: input.base + top * input.bytesPerRow + left * input.channels,
    width: width, height: height, channels: input.channels, bytesPerRow: input.bytesPerRow)
}
