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
  /// The image has transparent pixels: draw it over a background first.
  case transparentImage
  /// The pixel buffer is none of 8-bit YUV 4:2:0 in two planes.
  case wrongPixelFormat(code: UInt32)
  /// The image has more pixels than the contract allows.
  case imageTooLarge(pixels: Int, limit: Int)
  /// The image has another number of channels than the contract takes.
  case wrongChannels(expected: Int, actual: Int)
  /// A buffer has another number of elements (for an image: fewer bytes) than its shape says.
  case wrongSize(expected: Int, actual: Int)
  /// The model gave a value that is not finite.
  case notFinite(index: Int)
  /// A frame can only be turned by 0, 90, 180 or 270 degrees.
  case wrongRotation(degrees: Int)
  /// There are more moments of audio, rows or bytes than the contract allows.
  case inputTooLarge(count: Int, limit: Int)
  /// Audio, series or bytes have no element.
  case emptyInput
}

/// A YUV 4:2:0 camera frame: luma, and chroma at half the width and height (rounded up).
public struct Frame: Sendable, Equatable {
  /// Luma, ``yStride`` bytes for each row.
  public let y: [UInt8]
  /// Blue chroma, ``uvStride`` bytes for each row. For NV12 and NV21 the shared plane from its first blue value on.
  public let u: [UInt8]
  /// Red chroma, as ``u``.
  public let v: [UInt8]
  /// Width in pixels, at least 1.
  public let width: Int
  /// Height in pixels, at least 1.
  public let height: Int
  /// Distance from one row of luma to the next.
  public let yStride: Int
  /// Distance from one row of chroma to the next.
  public let uvStride: Int
  /// Distance from one chroma value of a row to the next: 1 for I420, 2 for NV12 and NV21.
  public let uvStep: Int
  /// Degrees by which it is turned clockwise to stand upright: 0, 90, 180 or 270.
  public let rotation: Int

  /// Takes planes as they are.
  ///
  /// - Throws: ``ContractError`` if the frame is empty, a plane is too short or the rotation is another number.
  public init(
    y: [UInt8], u: [UInt8], v: [UInt8], width: Int, height: Int, yStride: Int, uvStride: Int, uvStep: Int,
    rotation: Int = 0
  ) throws(ContractError) {
    guard [0, 90, 180, 270].contains(rotation) else { throw .wrongRotation(degrees: rotation) }
    // No stride or side beyond 2^31 can be meant; below, products of two cannot overflow.
    let bound = 1 << 31
    guard width >= 1, height >= 1 else { throw .emptyImage }
    guard width < bound, height < bound, yStride < bound, uvStride < bound, uvStep >= 1, uvStep < 16 else {
      throw .wrongSize(expected: bound, actual: max(width, height, yStride, uvStride))
    }
    let chromaRow = (width - 1) / 2 * uvStep + 1
    guard yStride >= width else { throw .wrongSize(expected: width, actual: yStride) }
    guard uvStride >= chromaRow else { throw .wrongSize(expected: chromaRow, actual: uvStride) }
    let luma = yStride * (height - 1) + width
    let chroma = uvStride * ((height - 1) / 2) + chromaRow
    guard y.count >= luma else { throw .wrongSize(expected: luma, actual: y.count) }
    guard u.count >= chroma else { throw .wrongSize(expected: chroma, actual: u.count) }
    guard v.count >= chroma else { throw .wrongSize(expected: chroma, actual: v.count) }
    self.y = y
    self.u = u
    self.v = v
    self.width = width
    self.height = height
    self.yStride = yStride
    self.uvStride = uvStride
    self.uvStep = uvStep
    self.rotation = rotation
  }

  /// Width of the upright frame.
  public var uprightWidth: Int { rotation % 180 == 0 ? width : height }

  /// Height of the upright frame.
  public var uprightHeight: Int { rotation % 180 == 0 ? height : width }

  /// Calls `body` with a view of the planes, valid until it returns.
  func withView<R>(_ body: (FrameView) throws -> R) throws -> R {
    try y.withUnsafeBufferPointer { luma in
      try u.withUnsafeBufferPointer { blue in
        try v.withUnsafeBufferPointer { red in
          guard let y = luma.baseAddress, let u = blue.baseAddress, let v = red.baseAddress else {
            throw ContractError.emptyImage
          }
          return try body(
            FrameView(
              y: y, u: u, v: v, width: width, height: height, yStride: yStride, uvStride: uvStride, uvStep: uvStep,
              rotation: rotation))
        }
      }
    }
  }
}

/// 16-bit PCM, the channels of one moment side by side.
public struct Audio: Sendable, Equatable {
  /// The samples.
  public let samples: [Int16]
  /// 1 for mono, 2 for stereo.
  public let channels: Int

  /// Takes samples as they are.
  ///
  /// - Throws: ``ContractError`` if there is no sample, or a part of a moment.
  public init(samples: [Int16], channels: Int = 1) throws(ContractError) {
    try checkRows(samples.count, channels: channels)
    self.samples = samples
    self.channels = channels
  }

  /// Calls `body` with a view of the samples, valid until it returns.
  func withView<R>(_ body: (AudioView) throws -> R) throws -> R {
    try samples.withUnsafeBufferPointer { try body(AudioView(samples: $0, channels: channels)) }
  }
}

/// Measurements in time order, the channels of one moment side by side.
public struct Series: Sendable, Equatable {
  /// The numbers.
  public let values: [Float]
  /// Numbers of one moment, at least 1.
  public let channels: Int

  /// Takes numbers as they are.
  ///
  /// - Throws: ``ContractError`` if there is no number, or a part of a moment.
  public init(values: [Float], channels: Int) throws(ContractError) {
    try checkRows(values.count, channels: channels)
    self.values = values
    self.channels = channels
  }

  /// Calls `body` with a view of the numbers, valid until it returns.
  func withView<R>(_ body: (SeriesView) throws -> R) throws -> R {
    try values.withUnsafeBufferPointer { try body(SeriesView(values: $0, channels: channels)) }
  }
}

private func checkRows(_ count: Int, channels: Int) throws(ContractError) {
  guard channels >= 1 else { throw .wrongChannels(expected: 1, actual: channels) }
  guard count > 0 else { throw .emptyInput }
  guard count % channels == 0 else { throw .wrongSize(expected: count / channels * channels, actual: count) }
}

/// Width and height in pixels of the image that the app handed over.
struct ImageSize {
  let width: Int
  let height: Int
}

/// A view of a frame, valid while its owner keeps the memory.
struct FrameView {
  let y: UnsafePointer<UInt8>
  let u: UnsafePointer<UInt8>
  let v: UnsafePointer<UInt8>
  let width: Int
  let height: Int
  let yStride: Int
  let uvStride: Int
  let uvStep: Int
  let rotation: Int

  /// Throws where the frame has more pixels than the contract takes.
  func check(maxPixels: Int) throws(ContractError) {
    guard width * height <= maxPixels else { throw .imageTooLarge(pixels: width * height, limit: maxPixels) }
  }
}

/// A view of audio, valid while its owner keeps the memory.
struct AudioView {
  let samples: UnsafeBufferPointer<Int16>
  let channels: Int

  /// Moments: samples of one channel.
  var frames: Int { samples.count / channels }

  /// Throws where the audio has other channels or is longer than the contract takes.
  func check(channels expected: Int, maxFrames: Int) throws(ContractError) {
    guard channels == expected else { throw .wrongChannels(expected: expected, actual: channels) }
    guard frames <= maxFrames else { throw .inputTooLarge(count: frames, limit: maxFrames) }
  }
}

/// A view of a series, valid while its owner keeps the memory.
struct SeriesView {
  let values: UnsafeBufferPointer<Float>
  let channels: Int

  /// Moments.
  var length: Int { values.count / channels }

  /// Throws where the series has other channels or is longer than the contract takes.
  func check(channels expected: Int, maxLength: Int) throws(ContractError) {
    guard channels == expected else { throw .wrongChannels(expected: expected, actual: channels) }
    guard length <= maxLength else { throw .inputTooLarge(count: length, limit: maxLength) }
  }
}

/// Throws where there are no bytes, or more than the contract takes.
func checkBytes(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int) throws(ContractError) {
  guard !bytes.isEmpty else { throw .emptyInput }
  guard bytes.count <= limit else { throw .inputTooLarge(count: bytes.count, limit: limit) }
}

/// Detections before they are a result, in pixels of the model's input. The buffers grow and are used again.
final class Candidates {
  /// Points of each candidate.
  let pointsEach: Int
  /// How many there are.
  var size = 0
  /// Left, top, right, bottom of each.
  private(set) var boxes = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  /// x and y of each point of each.
  private(set) var points = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  /// Score of each.
  private(set) var scores = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
  /// Class index of each.
  private(set) var classes = UnsafeMutableBufferPointer<Int32>(start: nil, count: 0)
  private let memory = (boxes: Scratch<Float>(), points: Scratch<Float>(), scores: Scratch<Float>())
  private let indices = Scratch<Int32>()

  init(pointsEach: Int) {
    self.pointsEach = pointsEach
  }

  /// Makes place for `count`; what was there is gone.
  func reserve(_ count: Int) {
    size = 0
    boxes = memory.boxes.take(count * 4, zero: 0)
    points = memory.points.take(count * pointsEach * 2, zero: 0)
    scores = memory.scores.take(count, zero: 0)
    classes = indices.take(count, zero: 0)
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
