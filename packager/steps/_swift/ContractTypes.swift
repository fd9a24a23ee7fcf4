/// An 8-bit sRGB image: rows from top to bottom, each of interleaved channels (red, green, blue; or grey).
public struct RawImage: Sendable, Equatable {
  /// The bytes, `bytesPerRow` for each row.
  public let pixels: [UInt8]
  /// Width in pixels, at least 1.
  public let width: Int
  /// Height in pixels, at least 1.
  public let height: Int
  /// 3 for colour, 1 for grey.
  public let channels: Int
  /// Distance from one row to the next, at least `width * channels`.
  public let bytesPerRow: Int

  /// Takes bytes as they are.
  ///
  /// - Parameters:
  ///   - pixels: At least `bytesPerRow * (height - 1) + width * channels` bytes.
  ///   - width: Width in pixels.
  ///   - height: Height in pixels.
  ///   - channels: 3 for colour, 1 for grey.
  ///   - bytesPerRow: Distance from one row to the next; `width * channels` if left out.
  /// - Throws: ``ContractError`` if the image is empty, has other channels or too few bytes.
  public init(pixels: [UInt8], width: Int, height: Int, channels: Int = 3, bytesPerRow: Int? = nil)
    throws(ContractError)
  {
    guard width >= 1, height >= 1 else { throw .emptyImage }
    guard channels == 1 || channels == 3 else { throw .wrongChannels(expected: 3, actual: channels) }
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

  /// Throws where the image has other channels or more pixels than the contract takes.
  func check(channels expected: Int, maxPixels: Int) throws(ContractError) {
    guard channels == expected else { throw .wrongChannels(expected: expected, actual: channels) }
    let (pixels, overflows) = width.multipliedReportingOverflow(by: height)
    guard !overflows, pixels <= maxPixels else {
      throw .imageTooLarge(pixels: overflows ? Int.max : pixels, limit: maxPixels)
    }
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
