#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

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
  private let filter: Filter
  private let output: ResizedImage
  private let places = Scratch<Int>()
  private let between = Scratch<UInt8>()
  private let sums = Scratch<Int32>()
  private let keptColumns = KeptWeights()
  private let keptRows = KeptWeights()

  init(width: Int, height: Int, fit: Fit, filter: Filter, fill: UInt8) {
    self.filter = filter
    output = ResizedImage(width: width, height: height, fit: fit, fill: fill)
  }

  /// An image of the stated size; valid until the next call, and as long as `input` where nothing changes.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try output.resize(input) { box, width, height, canvas in
      if case .nearest = filter {
        nearest(box, width, height, canvas)
      } else if box.height == height {
        let columns = keptColumns.for(size: box.width, out: width, filter)
        for y in 0..<height {
          columns.row(box.base + y * box.bytesPerRow, box.channels, canvas.base + y * canvas.bytesPerRow)
        }
      } else if box.width == width || box.height - height > max(0, 2 * (box.width - width)) {
        downFirst(box, width, height, canvas)
      } else {
        acrossFirst(box, width, height, canvas)
      }
    }
  }

  /// Every output pixel is one input pixel. The position grows by float64 sums, as Pillow's does.
  private func nearest(_ box: ImageView, _ width: Int, _ height: Int, _ canvas: Canvas) {
    let columns = places.take(width, zero: 0)
    let channels = box.channels
    let across = Double(box.width) / Double(width)
    let down = Double(box.height) / Double(height)
    var position = across * 0.5
    for x in 0..<width {
      columns[x] = Int(position) * channels
      position += across
    }
    position = down * 0.5
    for y in 0..<height {
      let source = box.base + Int(position) * box.bytesPerRow
      var target = canvas.base + y * canvas.bytesPerRow
      for x in 0..<width {
        for channel in 0..<channels { target[channel] = source[columns[x] + channel] }
        target += channels
      }
      position += down
    }
  }

  /// One row of full width at a time. Pillow 13 does so where it takes away much more; what is between is rounded.
  private func downFirst(_ box: ImageView, _ width: Int, _ height: Int, _ canvas: Canvas) {
    let rows = keptRows.for(size: box.height, out: height, filter)
    let columns = box.width == width ? nil : keptColumns.for(size: box.width, out: width, filter)
    let count = box.width * box.channels
    guard let line = between.take(count, zero: 0).baseAddress else { return }
    for y in 0..<height {
      let target = canvas.base + y * canvas.bytesPerRow
      sum(rows, y, count, into: columns == nil ? target : line) { box.base + $0 * box.bytesPerRow }
      columns?.row(line, box.channels, target)
    }
  }

  /// Rows that are resampled across live in a ring until no output row needs them.
  private func acrossFirst(_ box: ImageView, _ width: Int, _ height: Int, _ canvas: Canvas) {
    let rows = keptRows.for(size: box.height, out: height, filter)
    let columns = keptColumns.for(size: box.width, out: width, filter)
    let count = width * box.channels
    guard let ring = between.take(count * rows.length, zero: 0).baseAddress else { return }
    let lines = UnsafePointer(ring)
    var next = 0
    for y in 0..<height {
      next = max(next, rows.starts[y])
      while next < rows.starts[y] + rows.counts[y] {
        columns.row(box.base + next * box.bytesPerRow, box.channels, ring + next % rows.length * count)
        next += 1
      }
      sum(rows, y, count, into: canvas.base + y * canvas.bytesPerRow) { lines + $0 % rows.length * count }
    }
  }

  /// The weighted sum of the rows of one output row.
  @inline(__always)
  private func sum(
    _ rows: Weights, _ y: Int, _ count: Int, into target: UnsafeMutablePointer<UInt8>,
    row: (Int) -> UnsafePointer<UInt8>
  ) {
    guard let totals = sums.take(count, zero: 0).baseAddress else { return }
    for i in 0..<count { totals[i] = Weights.half }
    for tap in 0..<rows.counts[y] {
      let source = row(rows.starts[y] + tap)
      let weight = rows.taps[y * rows.length + tap]
      for i in 0..<count { totals[i] &+= Int32(source[i]) &* weight }
    }
    for i in 0..<count { target[i] = UInt8(clamping: totals[i] >> Weights.bits) }
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
private final class Weights {
  static let bits: Int32 = 32 - 8 - 2
  static let half: Int32 = 1 << (bits - 1)

  let size: Int
  let out: Int
  let length: Int
  let starts: UnsafeMutablePointer<Int>
  let counts: UnsafeMutablePointer<Int>
  let taps: UnsafeMutablePointer<Int32>
  /// Two weights for each input, or nil. Where weights are never negative and at most two outputs share an input (a
  /// bilinear reduction), one product of 64 bits serves both: in the high half stands the weight of the last output that
  /// takes the input, in the low half that of the one before.
  private var words: UnsafeMutablePointer<UInt64>?

  init(size: Int, out: Int, filter: Filter) {
    self.size = size
    self.out = out
    let scale = Double(size) / Double(out)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let inverse = 1 / filterScale
    length = Int(support.rounded(.up)) * 2 + 1
    starts = .allocate(capacity: out)
    counts = .allocate(capacity: out)
    taps = .allocate(capacity: out * length)
    taps.initialize(repeating: 0, count: out * length)
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
      starts[x] = start
      counts[x] = end - start
    }
    if case .bilinear = filter, scale >= 1, areShared { words = makeWords() }
  }

  deinit {
    starts.deallocate()
    counts.deallocate()
    taps.deallocate()
    words?.deallocate()
  }

  private var areShared: Bool {
    out < 3 || (1..<out - 1).allSatisfy { starts[$0 - 1] + counts[$0 - 1] <= starts[$0 + 1] }
  }

  /// First input that the next output takes too.
  private func ownEnd(_ x: Int) -> Int {
    x + 1 < out ? starts[x + 1] : starts[x] + counts[x]
  }

  private func makeWords() -> UnsafeMutablePointer<UInt64> {
    let made = UnsafeMutablePointer<UInt64>.allocate(capacity: size)
    made.initialize(repeating: 0, count: size)
    for x in 0..<out {
      for tap in 0..<counts[x] {
        let from = starts[x] + tap
        made[from] |= UInt64(UInt32(bitPattern: taps[x * length + tap])) << (from < ownEnd(x) ? 32 : 0)
      }
    }
    return made
  }

  /// Resamples one row of pixels.
  func row(_ source: UnsafePointer<UInt8>, _ channels: Int, _ target: UnsafeMutablePointer<UInt8>) {
    if channels == 3, let words {
      sharedRow(source, UnsafePointer(words), target)
    } else if channels == 3 {
      colorRow(source, target)
    } else {
      greyRow(source, target)
    }
  }

  private func greyRow(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>) {
    for x in 0..<out {
      let window = source + starts[x]
      let weights = taps + x * length
      var sum = Self.half
      for tap in 0..<counts[x] { sum &+= Int32(window[tap]) &* weights[tap] }
      target[x] = UInt8(clamping: sum >> Self.bits)
    }
  }

  private func colorRow(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>) {
    var pixel = target
    for x in 0..<out {
      var window = source + 3 * starts[x]
      let weights = taps + x * length
      var red = Self.half
      var green = Self.half
      var blue = Self.half
      for tap in 0..<counts[x] {
        let weight = weights[tap]
        red &+= Int32(window[0]) &* weight
        green &+= Int32(window[1]) &* weight
        blue &+= Int32(window[2]) &* weight
        window += 3
      }
      pixel[0] = UInt8(clamping: red >> Self.bits)
      pixel[1] = UInt8(clamping: green >> Self.bits)
      pixel[2] = UInt8(clamping: blue >> Self.bits)
      pixel += 3
    }
  }

  /// Every pixel is read once, for both outputs that take it.
  private func sharedRow(
    _ source: UnsafePointer<UInt8>, _ words: UnsafePointer<UInt64>, _ target: UnsafeMutablePointer<UInt8>
  ) {
    var red: UInt64 = 0
    var green: UInt64 = 0
    var blue: UInt64 = 0
    var pixel = target - 3
    for x in 0..<out {
      var window = source + 3 * starts[x]
      for place in starts[x]..<ownEnd(x) {
        let word = words[place]
        red &+= UInt64(window[0]) &* word
        green &+= UInt64(window[1]) &* word
        blue &+= UInt64(window[2]) &* word
        window += 3
      }
      if x > 0 { Self.emit(red, green, blue, pixel) }
      pixel += 3
      red >>= 32
      green >>= 32
      blue >>= 32
    }
    Self.emit(red, green, blue, pixel)
  }

  /// Weights that are never negative sum to 1, so nothing is clamped.
  @inline(__always)
  private static func emit(
    _ red: UInt64, _ green: UInt64, _ blue: UInt64, _ pixel: UnsafeMutablePointer<UInt8>
  ) {
    let half = UInt32(bitPattern: Self.half)
    pixel[0] = UInt8(truncatingIfNeeded: (UInt32(truncatingIfNeeded: red) &+ half) >> 22)
    pixel[1] = UInt8(truncatingIfNeeded: (UInt32(truncatingIfNeeded: green) &+ half) >> 22)
    pixel[2] = UInt8(truncatingIfNeeded: (UInt32(truncatingIfNeeded: blue) &+ half) >> 22)
  }
}
