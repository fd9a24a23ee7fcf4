/// An 8-bit image: rows from top to bottom, each of interleaved channels.
public struct RawImage: Sendable, Equatable {
  /// The bytes, `bytesPerRow` for each row.
  public let pixels: [UInt8]
  /// Width in pixels, at least 1.
  public let width: Int
  /// Height in pixels, at least 1.
  public let height: Int
  /// 3 for red, green and blue; 1 for grey; 4 for colour with alpha, or cyan, magenta, yellow and black.
  public let channels: Int
  /// Distance from one row to the next, at least `width * channels`.
  public let bytesPerRow: Int

  /// Takes bytes as they are.
  ///
  /// - Parameters:
  ///   - pixels: At least `bytesPerRow * (height - 1) + width * channels` bytes.
  ///   - width: Width in pixels.
  ///   - height: Height in pixels.
  ///   - channels: 1, 3 or 4.
  ///   - bytesPerRow: Distance from one row to the next; `width * channels` if left out.
  /// - Throws: ``ContractError`` if the image is empty, has other channels or too few bytes.
  public init(pixels: [UInt8], width: Int, height: Int, channels: Int = 3, bytesPerRow: Int? = nil)
    throws(ContractError)
  {
    guard width >= 1, height >= 1 else { throw .emptyImage }
    guard channels == 1 || channels == 3 || channels == 4 else { throw .wrongChannels(expected: 3, actual: channels) }
    let (row, rowOverflows) = width.multipliedReportingOverflow(by: channels)
    let stride = bytesPerRow ?? row
    let (body, bodyOverflows) = stride.multipliedReportingOverflow(by: height - 1)
    let (needed, sumOverflows) = body.addingReportingOverflow(row)
    guard !rowOverflows, !bodyOverflows, !sumOverflows, stride >= row, pixels.count >= needed else {
      throw .wrongSize(expected: sumOverflows || bodyOverflows ? Int.max : needed, actual: pixels.count)
    }
    self.pixels = pixels
    self.width = width
    self.height = height
    self.channels = channels
    self.bytesPerRow = stride
  }

  /// Calls `body` with a view of the pixels, valid until it returns.
  func withView<R>(_ body: (ImageView) throws -> R) throws -> R {
    try pixels.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { throw ContractError.emptyImage }
      return try body(
        ImageView(base: base, width: width, height: height, channels: channels, bytesPerRow: bytesPerRow))
    }
  }
}

/// What the contract refuses.
public enum ContractError: Error, Equatable, Sendable {
  /// Width or height is 0.
  case emptyImage
  /// The platform cannot draw the image.
  case unreadableImage
  /// The image has more pixels than the contract allows.
  case imageTooLarge(pixels: Int, limit: Int)
  /// The image has another number of channels than the contract takes.
  case wrongChannels(expected: Int, actual: Int)
  /// A buffer has another number of elements (for an image: fewer bytes) than its shape says.
  case wrongSize(expected: Int, actual: Int)
  /// The model gave a value that is not finite.
  case notFinite(index: Int)
}

/// Classes, best first; equal scores by lower index.
public struct Classification: Sendable, Equatable {
  /// One class.
  public struct Label: Sendable, Equatable {
    /// The class's name, as the model's author wrote it.
    public let label: String
    /// The score in the model's own scale: a probability where the model ends in softmax.
    public let score: Float
    /// The class's position in the model's output.
    public let index: Int

    /// One class with its score.
    public init(label: String, score: Float, index: Int) {
      self.label = label
      self.score = score
      self.index = index
    }
  }

  /// The classes that were asked for, best first.
  public let labels: [Label]

  /// A result of these classes.
  public init(labels: [Label]) {
    self.labels = labels
  }
}

/// Plain numbers, in C order, with their shape.
public struct Values: Sendable, Equatable {
  /// The numbers.
  public let values: [Float]
  /// The shape that the model gave them.
  public let shape: [Int]

  /// Numbers of a shape.
  public init(values: [Float], shape: [Int]) {
    self.values = values
    self.shape = shape
  }
}

/// A view of an image, valid while its owner keeps the memory.
struct ImageView {
  let base: UnsafePointer<UInt8>
  let width: Int
  let height: Int
  let channels: Int
  let bytesPerRow: Int

  /// Throws where the image has other channels.
  func check(channels expected: Int) throws(ContractError) {
    guard channels == expected else { throw .wrongChannels(expected: expected, actual: channels) }
  }

  /// Throws where the image has other channels or more pixels than the contract takes.
  func check(channels expected: Int, maxPixels: Int) throws(ContractError) {
    try check(channels: expected)
    let (pixels, overflows) = width.multipliedReportingOverflow(by: height)
    guard !overflows, pixels <= maxPixels else {
      throw .imageTooLarge(pixels: overflows ? Int.max : pixels, limit: maxPixels)
    }
  }

  /// The centred part of a size that is not larger; left and top are rounded down.
  func centered(width: Int, height: Int) -> ImageView {
    let start = (self.height - height) / 2 * bytesPerRow + (self.width - width) / 2 * channels
    return ImageView(base: base + start, width: width, height: height, channels: channels, bytesPerRow: bytesPerRow)
  }

  /// The largest centred part of the ratio `across` : `down`.
  func centered(ratio across: Int, to down: Int) -> ImageView {
    centered(
      width: max(1, min(width, height * across / down)), height: max(1, min(height, width * down / across)))
  }
}

/// Order in which a pixel's channels go to the model.
enum ChannelOrder {
  case rgb, bgr, grey

  /// The source channel of each channel of the model.
  var indices: [Int] {
    switch self {
    case .rgb: [0, 1, 2]
    case .bgr: [2, 1, 0]
    case .grey: [0]
    }
  }
}

/// Memory that a step keeps between calls: it grows and is never given back before the step is.
final class Scratch<Element: BitwiseCopyable> {
  private var memory = UnsafeMutableBufferPointer<Element>(start: nil, count: 0)

  deinit {
    memory.deallocate()
  }

  /// The first `count` elements. What they hold is the last call's, or zero.
  func take(_ count: Int, zero: Element) -> UnsafeMutableBufferPointer<Element> {
    if memory.count < count {
      memory.deallocate()
      memory = .allocate(capacity: count)
      memory.initialize(repeating: zero)
    }
    return UnsafeMutableBufferPointer(rebasing: memory[..<count])
  }
}

extension Scratch where Element == UInt8 {
  /// An image without gaps between its rows, of other channels than `input`, made pixel by pixel: `body` takes a pixel
  /// and writes one.
  func map(
    _ input: ImageView, channels: Int, _ body: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
  ) throws(ContractError) -> ImageView {
    let row = input.width * channels
    guard let base = take(row * input.height, zero: 0).baseAddress else { throw .emptyImage }
    for y in 0..<input.height {
      let source = input.base + y * input.bytesPerRow
      let target = base + y * row
      for x in 0..<input.width { body(source + x * input.channels, target + x * channels) }
    }
    return ImageView(base: base, width: input.width, height: input.height, channels: channels, bytesPerRow: row)
  }
}

extension Scratch where Element == Float {
  /// One number for each of `input`; valid until the next call.
  func map(_ input: UnsafeBufferPointer<Float>, _ body: (Float) -> Float) -> UnsafeBufferPointer<Float> {
    let result = take(input.count, zero: 0)
    for (index, value) in input.enumerated() { result[index] = body(value) }
    return UnsafeBufferPointer(result)
  }
}

/// Rounded division by 255 of a product of bytes, as Pillow does it.
func div255(_ product: Int) -> UInt8 {
  UInt8(truncatingIfNeeded: ((product + 128) >> 8 + product + 128) >> 8)
}

/// The lines of a text, which hold no line feed; anything else may stand in them.
func lines(_ text: String) -> [String] {
  text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { String(Substring($0)) }
}
