/// Equal to the bit to OpenCV 4.12.0: `cv2.resize` with `INTER_NEAREST`.
final class ResizeOpencvNearest {
  private let output: ResizedImage
  private let columns = Scratch<Int>()

  init(width: Int, height: Int, fit: Fit, fill: UInt8) {
    output = ResizedImage(width: width, height: height, fit: fit, fill: fill)
  }

  /// An image of the stated size; valid until the next call, and as long as `input` where nothing changes.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try output.resize(input) { box, width, height, canvas in
      let channels = box.channels
      let places = columns.take(width, zero: 0)
      let across = scale(size: box.width, out: width)
      let down = scale(size: box.height, out: height)
      for x in 0..<width { places[x] = nearest(x, across, box.width) * channels }
      for y in 0..<height {
        let row = box.base + nearest(y, down, box.height) * box.bytesPerRow
        var target = canvas.base + y * canvas.bytesPerRow
        for x in 0..<width {
          let pixel = row + places[x]
          for channel in 0..<channels { target[channel] = pixel[channel] }
          target += channels
        }
      }
    }
  }

  private func nearest(_ index: Int, _ scale: Double, _ size: Int) -> Int {
    min(Int((Double(index) * scale).rounded(.down)), size - 1)
  }
}

/// Equal to the bit to OpenCV 4.12.0: `cv2.resize` with `INTER_LINEAR`, weights of 11 bits.
final class ResizeOpencvLinear {
  private let output: ResizedImage
  private let columns = Scratch<Pair>()
  private let rows = (Scratch<Int32>(), Scratch<Int32>())

  init(width: Int, height: Int, fit: Fit, fill: UInt8) {
    output = ResizedImage(width: width, height: height, fit: fit, fill: fill)
  }

  /// An image of the stated size; valid until the next call, and as long as `input` where nothing changes.
  func run(_ input: ImageView) throws(ContractError) -> ImageView {
    try output.resize(input) { box, width, height, canvas in
      if box.width == 2 * width, box.height == 2 * height {
        halve(box, width, height, canvas)
      } else {
        blend(box, width, height, canvas)
      }
    }
  }

  /// Exactly half the size is the mean of four pixels.
  private func halve(_ box: ImageView, _ width: Int, _ height: Int, _ canvas: Canvas) {
    let channels = box.channels
    for y in 0..<height {
      var above = box.base + 2 * y * box.bytesPerRow
      var target = canvas.base + y * canvas.bytesPerRow
      for _ in 0..<width {
        let below = above + box.bytesPerRow
        for channel in 0..<channels {
          let top = Int32(above[channel]) + Int32(above[channel + channels])
          let bottom = Int32(below[channel]) + Int32(below[channel + channels])
          target[channel] = UInt8(truncatingIfNeeded: (top + bottom + 2) >> 2)
        }
        above += 2 * channels
        target += channels
      }
    }
  }

  /// Rows that two output rows share are resampled once.
  private func blend(_ box: ImageView, _ width: Int, _ height: Int, _ canvas: Canvas) {
    let count = width * box.channels
    let places = columns.take(width, zero: Pair(0, 1, 1, isClamped: true))
    let across = scale(size: box.width, out: width)
    let down = scale(size: box.height, out: height)
    for x in 0..<width { places[x] = Pair(x, across, box.width, isClamped: true) }
    var above = rows.0.take(count, zero: 0)
    var below = rows.1.take(count, zero: 0)
    var held = (above: -1, below: -1)
    for y in 0..<height {
      let pair = Pair(y, down, box.height, isClamped: false)
      if held.below == pair.lower {
        swap(&above, &below)
        held = (above: pair.lower, below: held.above)
      }
      if held.above != pair.lower { row(box, pair.lower, places, above) }
      if held.below != pair.upper { row(box, pair.upper, places, below) }
      held = (above: pair.lower, below: pair.upper)
      let target = canvas.base + y * canvas.bytesPerRow
      guard let top = above.baseAddress, let bottom = below.baseAddress else { return }
      for i in 0..<count {
        let sum = (top[i] &* pair.lowerWeight) >> 16 &+ (bottom[i] &* pair.upperWeight) >> 16
        target[i] = UInt8(truncatingIfNeeded: (sum &+ 2) >> 2)
      }
    }
  }

  private func row(
    _ box: ImageView, _ y: Int, _ places: UnsafeMutableBufferPointer<Pair>, _ result: UnsafeMutableBufferPointer<Int32>
  ) {
    let source = box.base + y * box.bytesPerRow
    let channels = box.channels
    guard var target = result.baseAddress, let places = UnsafePointer(places.baseAddress) else { return }
    for x in 0..<result.count / channels {
      let pair = places[x]
      let left = source + pair.lower * channels
      let right = source + pair.upper * channels
      for channel in 0..<channels {
        target[channel] = (Int32(left[channel]) &* pair.lowerWeight &+ Int32(right[channel]) &* pair.upperWeight) >> 4
      }
      target += channels
    }
  }
}

/// Two inputs of one output, and their weights.
private struct Pair: BitwiseCopyable {
  private static let one: Float = 2048

  let lower: Int
  let upper: Int
  let lowerWeight: Int32
  let upperWeight: Int32

  /// What lies beyond the outer inputs' centres is the outer input across (`isClamped`); down it is weighed all the same.
  init(_ index: Int, _ scale: Double, _ size: Int, isClamped: Bool) {
    let position = Float((Double(index) + 0.5) * scale - 0.5)
    let whole = position.rounded(.down)
    let first = Int(whole)
    let isInside = !isClamped || (first >= 0 && first < size - 1)
    let share = isInside ? position - whole : 0
    let from = isClamped ? max(first, 0) : first
    lower = min(max(from, 0), size - 1)
    upper = min(max(from + 1, 0), size - 1)
    lowerWeight = Int32(((1 - share) * Self.one).rounded(.toNearestOrEven))
    upperWeight = Int32((share * Self.one).rounded(.toNearestOrEven))
  }
}

/// Inputs for one output; two divisions, as OpenCV makes them.
private func scale(size: Int, out: Int) -> Double {
  1 / (Double(out) / Double(size))
}
