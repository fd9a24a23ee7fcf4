/// From places in the model's input back to the original image:
/// x = scaleX * (the model's y if turned, else its x) + offsetX; y likewise of the other one.
struct Mapping {
  private(set) var scaleX = 1.0
  private(set) var offsetX = 0.0
  private(set) var scaleY = 1.0
  private(set) var offsetY = 0.0
  private(set) var isTurned = false

  /// The whole way back for an original image of this size.
  ///
  /// - Parameters:
  ///   - moves: Three numbers for each move of the model's input: kind, a, b.
  ///   - photo: The original image.
  init(moves: [Int], photo: ImageSize) throws(ContractError) {
    guard photo.width >= 1, photo.height >= 1 else { throw .emptyImage }
    var size = photo
    for at in stride(from: 0, to: moves.count, by: 3) {
      let step: Mapping
      (step, size) = Mapping.back(kind: moves[at], moves[at + 1], moves[at + 2], of: size)
      self = after(step)
    }
  }

  private init(_ scaleX: Double, _ offsetX: Double, _ scaleY: Double, _ offsetY: Double, isTurned: Bool = false) {
    self.scaleX = scaleX
    self.offsetX = offsetX
    self.scaleY = scaleY
    self.offsetY = offsetY
    self.isTurned = isTurned
  }

  /// The original place of a place in the model's input.
  func place(x: Float, y: Float) -> (x: Float, y: Float) {
    let (first, second) = isTurned ? (y, x) : (x, y)
    return (first * Float(scaleX) + Float(offsetX), second * Float(scaleY) + Float(offsetY))
  }

  /// `step` first, then this, each backwards.
  private func after(_ step: Mapping) -> Mapping {
    let first =
      isTurned
      ? Mapping(step.scaleY, step.offsetY, step.scaleX, step.offsetX, isTurned: step.isTurned)
      : step
    return Mapping(
      scaleX * first.scaleX, scaleX * first.offsetX + offsetX, scaleY * first.scaleY, scaleY * first.offsetY + offsetY,
      isTurned: isTurned != step.isTurned)
  }

  /// One move backwards for an image of a size before it, and the size after it.
  private static func back(kind: Int, _ a: Int, _ b: Int, of size: ImageSize) -> (Mapping, ImageSize) {
    let width = size.width
    let height = size.height
    switch kind {
    case 0:  // EXIF orientation
      let isTurned = a >= 5
      let (scaleX, offsetX) = [2, 3, 7, 8].contains(a) ? (-1.0, Double(width)) : (1.0, 0.0)
      let (scaleY, offsetY) = [3, 4, 6, 7].contains(a) ? (-1.0, Double(height)) : (1.0, 0.0)
      let after = isTurned ? ImageSize(width: height, height: width) : size
      return (Mapping(scaleX, offsetX, scaleY, offsetY, isTurned: isTurned), after)
    case 1, 2:  // crop to a size, to a ratio
      let box = kind == 1 ? ImageSize(width: a, height: b) : largest(a, b, in: size)
      return (Mapping(1, Double((width - box.width) / 2), 1, Double((height - box.height) / 2)), box)
    case 6:  // resize to a shorter side: a stretch to the size that this is
      return width <= height
        ? back(kind: 3, a, a * height / width, of: size) : back(kind: 3, a * width / height, a, of: size)
    default:
      let box = kind == 4 ? largest(a, b, in: size) : size
      var part = ImageSize(width: a, height: b)
      if kind == 5, width * b >= height * a {
        part = ImageSize(width: a, height: max(1, (2 * height * a + width) / (2 * width)))
      } else if kind == 5 {
        part = ImageSize(width: max(1, (2 * width * b + height) / (2 * height)), height: b)
      }
      let scaleX = Double(box.width) / Double(part.width)
      let scaleY = Double(box.height) / Double(part.height)
      let offsetX = Double((width - box.width) / 2) - scaleX * Double((a - part.width) / 2)
      let offsetY = Double((height - box.height) / 2) - scaleY * Double((b - part.height) / 2)
      return (Mapping(scaleX, offsetX, scaleY, offsetY), ImageSize(width: a, height: b))
    }
  }

  /// The largest centred part of the ratio `across` : `down`.
  private static func largest(_ across: Int, _ down: Int, in size: ImageSize) -> ImageSize {
    ImageSize(
      width: max(1, min(size.width, size.height * across / down)),
      height: max(1, min(size.height, size.width * down / across)))
  }
}
