/// What a camera's numbers mean: luma 16 to 235, or 0 to 255.
enum YuvRange {
  case limited, full
}

/// A camera frame to an image of red, green and blue by OpenCV's integer formula (BT.601).
final class Yuv {
  private let range: YuvRange
  private let rotation: Int
  private let output = Scratch<UInt8>()

  /// `rotation`: degrees by which a frame is turned clockwise beside its own, 0, 90, 180 or 270.
  init(range: YuvRange, rotation: Int) {
    self.range = range
    self.rotation = rotation
  }

  /// An image with dense rows; valid until the next call.
  func run(_ input: FrameView) throws(ContractError) -> ImageView {
    let w = input.width
    let h = input.height
    guard let base = output.take(w * h * 3, zero: 0).baseAddress else { throw .emptyImage }
    let turn = (rotation + input.rotation) % 360
    switch turn {
    case 90: rows(input, to: base + 3 * (h - 1), across: 3 * h, down: -3)
    case 180: rows(input, to: base + 3 * (w * h - 1), across: -3, down: -3 * w)
    case 270: rows(input, to: base + 3 * h * (w - 1), across: -3 * h, down: 3)
    default: rows(input, to: base, across: 3, down: 3 * w)
    }
    let isTurned = turn == 90 || turn == 270
    let width = isTurned ? h : w
    return ImageView(base: base, width: width, height: isTurned ? w : h, channels: 3, bytesPerRow: 3 * width)
  }

  /// Pixels go `across` bytes apart, rows `down` bytes. Two rows share their chroma; the last may be alone.
  private func rows(_ input: FrameView, to base: UnsafeMutablePointer<UInt8>, across: Int, down: Int) {
    for y in stride(from: 0, to: input.height, by: 2) {
      let isAlone = y + 1 == input.height
      let pair = RowPair(
        above: input.y + y * input.yStride,
        below: input.y + (isAlone ? y : y + 1) * input.yStride,
        u: input.u + y / 2 * input.uvStride,
        v: input.v + y / 2 * input.uvStride,
        target: base + y * down,
        across: across,
        down: isAlone ? 0 : down)
      switch range {
      case .limited: pair.convert(input.width, input.uvStep, LimitedChroma.init)
      case .full: pair.convert(input.width, input.uvStep, FullChroma.init)
      }
    }
  }
}

/// What one chroma pair adds to the colours of its pixels.
private protocol Chroma {
  init(blue: Int32, red: Int32)

  func write(_ luma: UInt8, _ pixel: UnsafeMutablePointer<UInt8>)
}

/// 20 fractional bits.
private struct LimitedChroma: Chroma {
  private let sums: (Int32, Int32, Int32)

  @inline(__always)
  init(blue: Int32, red: Int32) {
    let half: Int32 = 1 << 19
    sums = (
      half &+ 1_673_527 &* red, half &- 852_492 &* red &- 409_993 &* blue, half &+ 2_116_026 &* blue
    )
  }

  @inline(__always)
  func write(_ luma: UInt8, _ pixel: UnsafeMutablePointer<UInt8>) {
    let light = max(Int32(luma) &- 16, 0) &* 1_220_542
    pixel[0] = UInt8(clamping: (light &+ sums.0) >> 20)
    pixel[1] = UInt8(clamping: (light &+ sums.1) >> 20)
    pixel[2] = UInt8(clamping: (light &+ sums.2) >> 20)
  }
}

/// 14 fractional bits, luma as it is.
private struct FullChroma: Chroma {
  private let levels: (Int32, Int32, Int32)

  @inline(__always)
  init(blue: Int32, red: Int32) {
    let half: Int32 = 1 << 13
    levels = (
      (22_987 &* red &+ half) >> 14, (-11_698 &* red &- 5_636 &* blue &+ half) >> 14, (29_049 &* blue &+ half) >> 14
    )
  }

  @inline(__always)
  func write(_ luma: UInt8, _ pixel: UnsafeMutablePointer<UInt8>) {
    let light = Int32(luma)
    pixel[0] = UInt8(clamping: light &+ levels.0)
    pixel[1] = UInt8(clamping: light &+ levels.1)
    pixel[2] = UInt8(clamping: light &+ levels.2)
  }
}

private struct RowPair {
  let above: UnsafePointer<UInt8>
  let below: UnsafePointer<UInt8>
  let u: UnsafePointer<UInt8>
  let v: UnsafePointer<UInt8>
  let target: UnsafeMutablePointer<UInt8>
  let across: Int
  let down: Int

  @inline(__always)
  func convert<C: Chroma>(_ width: Int, _ step: Int, _ chroma: (_ blue: Int32, _ red: Int32) -> C) {
    var pixel = target
    for pair in 0..<width / 2 {
      let here = chroma(Int32(u[pair &* step]) &- 128, Int32(v[pair &* step]) &- 128)
      here.write(above[2 &* pair], pixel)
      here.write(above[2 &* pair &+ 1], pixel + across)
      here.write(below[2 &* pair], pixel + down)
      here.write(below[2 &* pair &+ 1], pixel + down + across)
      pixel += 2 &* across
    }
    if width % 2 == 1 {
      let here = chroma(Int32(u[width / 2 &* step]) &- 128, Int32(v[width / 2 &* step]) &- 128)
      here.write(above[width - 1], pixel)
      here.write(below[width - 1], pixel + down)
    }
  }
}
