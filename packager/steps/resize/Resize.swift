#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What happens to an image of another ratio.
enum Fit {
  /// The largest centred box of the target's ratio is taken.
  case crop
  /// The ratio is not kept.
  case stretch
  /// The image is made smaller and centred; the rest is filled.
  case letterbox
}

/// How pixels between the given ones are made.
enum Filter {
  case nearest, box, bilinear, bicubic, lanczos

  /// Half the width of the filter, in pixels of the larger image.
  fileprivate var support: Double {
    switch self {
    case .nearest: 0
    case .box: 0.5
    case .bilinear: 1
    case .bicubic: 2
    case .lanczos: 3
    }
  }

  /// Weight at a distance.
  fileprivate func weight(_ x: Double) -> Double {
    switch self {
    case .nearest: return 0
    case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear:
      let distance = abs(x)
      return distance < 1 ? 1 - distance : 0
    case .bicubic:
      let a = -0.5
      let d = abs(x)
      if d < 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
      return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0
    case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
    }
  }
}

private func sinc(_ x: Double) -> Double {
  x == 0 ? 1 : sin(x * Double.pi) / (x * Double.pi)
}

/// Equal to the bit to Pillow 13.0.0: `image.crop(box).resize((width, height), filter)`.
///
/// One pass along rows and one along columns, with weights of 22 fractional bits that are made in float64. A pass that
/// changes no size is left out.
final class ResizePillow {
  private let width: Int
  private let height: Int
  private let fit: Fit
  private let filter: Filter
  private let fill: UInt8
  private let rows = Scratch<UInt8>()
  private let resized = Scratch<UInt8>()
  private let canvas = Scratch<UInt8>()
  private let weightsOfRows = KeptWeights()
  private let weightsOfColumns = KeptWeights()

  init(width: Int, height: Int, fit: Fit, filter: Filter, fill: UInt8) {
    self.width = width
    self.height = height
    self.fit = fit
    self.filter = filter
    self.fill = fill
  }

  /// An image of the stated size; valid until the next call, and as long as `input` where nothing changes.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    switch fit {
    case .stretch: return try resample(input, width: width, height: height)
    case .crop: return try resample(input.centered(ratio: width, to: height), width: width, height: height)
    case .letterbox: return try letterboxed(input)
    }
  }

  /// The whole image, centred on a canvas of `fill`; half a pixel rounds up.
  private func letterboxed(_ input: ImageView) throws(ContractError) -> ImageView {
    let w = input.width
    let h = input.height
    let isWider = w * height >= h * width
    let newWidth = isWider ? width : max(1, (2 * w * height + h) / (2 * h))
    let newHeight = isWider ? max(1, (2 * h * width + w) / (2 * w)) : height
    let image = try resample(input, width: newWidth, height: newHeight)
    if newWidth == width, newHeight == height { return image }
    let row = width * input.channels
    let result = canvas.take(row * height, zero: 0)
    guard let base = result.baseAddress else { throw .emptyImage }
    result.update(repeating: fill)
    let corner = base + (height - newHeight) / 2 * row + (width - newWidth) / 2 * input.channels
    for y in 0..<newHeight {
      (corner + y * row).update(from: image.base + y * image.bytesPerRow, count: newWidth * input.channels)
    }
    return ImageView(base: base, width: width, height: height, channels: input.channels, bytesPerRow: row)
  }

  /// Pillow 13 makes the vertical pass first where it takes away much more; what is between is rounded to 8 bits.
  private func resample(_ input: ImageView, width: Int, height: Int) throws(ContractError) -> ImageView {
    if input.width == width, input.height == height { return input }
    if case .nearest = filter { return try nearest(input, width: width, height: height) }
    let isVerticalFirst = input.height - height > max(0, 2 * (input.width - width))
    let first = isVerticalFirst ? try alongColumns(input, height: height) : try alongRows(input, width: width)
    return isVerticalFirst ? try alongRows(first, width: width) : try alongColumns(first, height: height)
  }

  /// Every output pixel is one input pixel. The position grows by float64 sums, as Pillow's does.
  private func nearest(_ input: ImageView, width: Int, height: Int) throws(ContractError) -> ImageView {
    let columns = nearestIndices(size: input.width, out: width)
    let channels = input.channels
    let row = width * channels
    guard let base = resized.take(row * height, zero: 0).baseAddress else { throw .emptyImage }
    for (y, from) in nearestIndices(size: input.height, out: height).enumerated() {
      let source = input.base + from * input.bytesPerRow
      for (x, column) in columns.enumerated() {
        (base + y * row + x * channels).update(from: source + column * channels, count: channels)
      }
    }
    return ImageView(base: base, width: width, height: height, channels: channels, bytesPerRow: row)
  }

  private func alongRows(_ input: ImageView, width: Int) throws(ContractError) -> ImageView {
    if input.width == width { return input }
    let weights = weightsOfRows.for(size: input.width, out: width, filter)
    let channels = input.channels
    let row = width * channels
    guard let base = rows.take(row * input.height, zero: 0).baseAddress else { throw .emptyImage }
    weights.taps.withUnsafeBufferPointer { taps in
      for y in 0..<input.height {
        let source = input.base + y * input.bytesPerRow
        for x in 0..<width {
          let window = source + weights.starts[x] * channels
          let first = x * weights.length
          for channel in 0..<channels {
            var sum = Weights.half
            for tap in 0..<weights.counts[x] {
              sum &+= Int32(window[tap * channels + channel]) &* taps[first + tap]
            }
            base[y * row + x * channels + channel] = UInt8(clamping: sum >> Weights.bits)
          }
        }
      }
    }
    return ImageView(base: base, width: width, height: input.height, channels: channels, bytesPerRow: row)
  }

  private func alongColumns(_ input: ImageView, height: Int) throws(ContractError) -> ImageView {
    if input.height == height { return input }
    let weights = weightsOfColumns.for(size: input.height, out: height, filter)
    let row = input.width * input.channels
    guard let base = resized.take(row * height, zero: 0).baseAddress else { throw .emptyImage }
    weights.taps.withUnsafeBufferPointer { taps in
      for y in 0..<height {
        let window = input.base + weights.starts[y] * input.bytesPerRow
        let first = y * weights.length
        for x in 0..<row {
          var sum = Weights.half
          for tap in 0..<weights.counts[y] {
            sum &+= Int32(window[tap * input.bytesPerRow + x]) &* taps[first + tap]
          }
          base[y * row + x] = UInt8(clamping: sum >> Weights.bits)
        }
      }
    }
    return ImageView(
      base: base, width: input.width, height: height, channels: input.channels, bytesPerRow: row)
  }
}

/// The last weights of an axis: a camera's frames make them once.
private final class KeptWeights {
  private var weights: Weights?

  func `for`(size: Int, out: Int, _ filter: Filter) -> Weights {
    if let weights, weights.size == size, weights.out == out { return weights }
    let made = Weights(size: size, out: out, filter: filter)
    weights = made
    return made
  }
}

/// Weights of one pass: for each output index the first input index, how many follow, and their weights.
private struct Weights {
  static let bits: Int32 = 32 - 8 - 2
  static let half: Int32 = 1 << (bits - 1)

  let size: Int
  let out: Int
  let length: Int
  private(set) var starts: [Int] = []
  private(set) var counts: [Int] = []
  private(set) var taps: [Int32]

  init(size: Int, out: Int, filter: Filter) {
    self.size = size
    self.out = out
    let scale = Double(size) / Double(out)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let inverse = 1 / filterScale
    length = Int(support.rounded(.up)) * 2 + 1
    taps = Array(repeating: 0, count: out * length)
    for x in 0..<out {
      let center = (Double(x) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let end = min(Int(center + support + 0.5), size)
      let raw = (0..<end - start).map { filter.weight((Double($0 + start) - center + 0.5) * inverse) }
      var sum = 0.0
      for weight in raw { sum += weight }
      for (tap, weight) in raw.enumerated() {
        let scaled = (sum == 0 ? weight : weight / sum) * Double(1 << Self.bits)
        taps[x * length + tap] = Int32(weight < 0 ? scaled - 0.5 : scaled + 0.5)
      }
      starts.append(start)
      counts.append(end - start)
    }
  }
}

private func nearestIndices(size: Int, out: Int) -> [Int] {
  let scale = Double(size) / Double(out)
  var position = scale * 0.5
  return (0..<out).map { _ in
    defer { position += scale }
    return Int(position)
  }
}
