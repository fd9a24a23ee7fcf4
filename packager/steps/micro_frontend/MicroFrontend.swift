/// Which frames of longer audio are kept.
enum FramePlace {
  case first, last
}

/// The micro frontend of TensorFlow Lite Micro: audio to frames, `every` apart, of one feature a channel. All audio is
/// one stream, and each frame goes on with the noise of those before it.
final class MicroFrontend {
  private let window: [Int32]
  private let widths: [Int32]
  private let weights: [Int32]
  private let unweights: [Int32]
  private let gains: [Int32]
  private let noise: [Int32]
  private let firstBin: Int
  private let step: Int
  private let gain: Bool
  private let gainShift: Int
  private let log: Bool
  private let logShift: Int
  private let frames: Int
  private let every: Int
  private let place: FramePlace
  private let pad: Bool
  private let scale: Float
  private let channels: Int
  private let correction: Int
  private let transform: FixedTransform
  private let shaped = Scratch<Int32>()
  private let memory = (estimate: Scratch<UInt64>(), signal: Scratch<UInt64>())
  private let output = Scratch<Float>()

  /// - Parameters:
  ///   - window: Hann, 12 bits.
  ///   - cosines: cos(2 pi k / n), 15 bits.
  ///   - widths: Bins of each channel, one channel more than features.
  ///   - weights: What a bin gives to its channel, 12 bits.
  ///   - unweights: And to the one after it.
  ///   - gains: The gain curve.
  ///   - noise: Smoothing bits, even and odd smoothing and the part that remains (14 bits).
  ///   - firstBin: Bin of the first weight.
  ///   - step: Samples from one frame to the next.
  ///   - gain: Whether there is gain control.
  ///   - gainShift: Shift of the signal times its gain.
  ///   - log: Whether the logarithm is taken.
  ///   - logShift: Its fraction bits.
  ///   - frames: How many frames are kept.
  ///   - every: How far they are apart.
  ///   - place: Which they are.
  ///   - pad: Whether silence follows audio that is too short.
  ///   - scale: What the features are multiplied with.
  init(
    window: [Int32], cosines: [Int32], widths: [Int32], weights: [Int32], unweights: [Int32], gains: [Int32],
    noise: [Int32], firstBin: Int, step: Int, gain: Bool, gainShift: Int, log: Bool, logShift: Int, frames: Int,
    every: Int, place: FramePlace, pad: Bool, scale: Float
  ) {
    self.window = window
    self.widths = widths
    self.weights = weights
    self.unweights = unweights
    self.gains = gains
    self.noise = noise
    self.firstBin = firstBin
    self.step = step
    self.gain = gain
    self.gainShift = gainShift
    self.log = log
    self.logShift = logShift
    self.frames = frames
    self.every = every
    self.place = place
    self.pad = pad
    self.scale = scale
    channels = widths.count - 1
    correction = bits(of: UInt64(cosines.count)) - 1 - 6
    transform = FixedTransform(cosines: cosines)
  }

  /// One number for each channel of each frame; valid until the next call.
  func run(_ input: AudioView) throws(ContractError) -> UnsafeBufferPointer<Float> {
    try input.check(channels: 1, maxFrames: .max)
    let needed = (frames - 1) * every + 1
    var total = input.frames < window.count ? 0 : 1 + (input.frames - window.count) / step
    guard total >= needed || pad else {
      throw .wrongSize(expected: window.count + (needed - 1) * step, actual: input.frames)
    }
    total = max(total, needed)
    memory.estimate.take(channels, zero: 0).update(repeating: 0)
    let result = output.take(frames * channels, zero: 0)
    let first = place == .first ? 0 : total - needed
    var target = result.baseAddress
    for index in 0..<first + needed {
      let kept = index >= first && (index - first) % every == 0
      let start = min(index * step, input.frames)
      frame(UnsafeBufferPointer(rebasing: input.samples[start...]), into: kept ? target : nil)
      if kept { target = target.map { $0 + channels } }
    }
    return UnsafeBufferPointer(result)
  }

  /// One window of samples, zeros after the last; where it is kept also its features.
  private func frame(_ samples: UnsafeBufferPointer<Int16>, into target: UnsafeMutablePointer<Float>?) {
    let values = shaped.take(window.count, zero: 0)
    let shift = shape(samples, into: values)
    transform.run(values, shift: shift)
    let signal = memory.signal.take(channels, zero: 0)
    let estimate = memory.estimate.take(channels, zero: 0)
    accumulate(shift: shift, into: signal)
    for channel in 0..<channels {
      let left = reduce(signal[channel], channel: channel, estimate: &estimate[channel])
      if let target { target[channel] = Float(finish(left, noise: estimate[channel])) * scale }
    }
  }

  /// Window; the shift by which its largest value fills 15 bits. The least Int16 has no positive twin: it is left out.
  private func shape(_ samples: UnsafeBufferPointer<Int16>, into values: UnsafeMutableBufferPointer<Int32>) -> Int32 {
    var largest: Int32 = 0
    window.withUnsafeBufferPointer { window in
      for index in 0..<window.count {
        let value = index < samples.count ? (Int32(samples[index]) &* window[index]) >> 12 : 0
        values[index] = value
        if value != -32768 { largest = max(largest, abs(value)) }
      }
    }
    return Int32(15 - bits(of: UInt64(largest)))
  }

  /// Root of each channel's weighted energy.
  private func accumulate(shift: Int32, into signal: UnsafeMutableBufferPointer<UInt64>) {
    var passed: UInt64 = 0
    var bin = firstBin
    var at = 0
    for channel in 0...channels {
      var kept = passed
      passed = 0
      for _ in 0..<widths[channel] {
        let energy = transform.energy(of: bin)
        kept &+= energy &* UInt64(weights[at])
        passed &+= energy &* UInt64(unweights[at])
        bin += 1
        at += 1
      }
      if channel > 0 { signal[channel - 1] = root(of: kept) >> UInt64(shift) }
    }
  }

  /// Moves the noise of a channel towards its signal; the signal without it.
  private func reduce(_ value: UInt64, channel: Int, estimate: inout UInt64) -> UInt64 {
    let bits = UInt64(noise[0])
    let smoothing = UInt64(noise[1 + channel % 2])
    let wide = (value << bits) & low32
    let now = ((wide &* smoothing &+ estimate &* ((1 << 14) - smoothing)) >> 14) & low32
    estimate = now
    let left = now > wide ? 0 : (wide - now) >> bits
    return max(left, (value &* UInt64(noise[3])) >> 14)
  }

  /// Gain control and logarithm.
  private func finish(_ left: UInt64, noise: UInt64) -> UInt64 {
    var value = left
    if gain { value = shrink(((value &* gain(of: noise)) >> UInt64(gainShift)) & low32) }
    if log {
      let corrected = correction < 0 ? value >> UInt64(-correction) : (value << UInt64(correction)) & low32
      value = logarithm(of: corrected, shift: logShift)
    }
    return min(value, 0xFFFF)
  }

  /// The gain curve: a parabola between two powers of two.
  private func gain(of noise: UInt64) -> UInt64 {
    if noise <= 2 { return UInt64(gains[Int(noise)]) }
    let count = bits(of: noise)
    let at = 4 * count - 6
    let part = Int64((count < 11 ? noise << UInt64(11 - count) : noise >> UInt64(count - 11)) & 0x3FF)
    let slope = ((Int64(gains[at + 2]) &* part) >> 5) &+ (Int64(gains[at + 1]) << 5)
    let value = ((slope &* part &+ (1 << 14)) >> 15) &+ Int64(gains[at])
    return UInt64(UInt32(truncatingIfNeeded: Int16(truncatingIfNeeded: value)))
  }
}

/// Real transform of kissfft with 16 bits, divided by its length: radix 4, the innermost 2 where that is left.
private final class FixedTransform {
  private let cosines: UnsafeMutableBufferPointer<Int32>
  private let order: UnsafeMutableBufferPointer<Int>
  private let re: UnsafeMutableBufferPointer<Int32>
  private let im: UnsafeMutableBufferPointer<Int32>
  private let half: Int

  init(cosines table: [Int32]) {
    let length = table.count / 2
    half = length
    cosines = .allocate(capacity: table.count)
    _ = cosines.initialize(from: table)
    re = .allocate(capacity: length)
    im = .allocate(capacity: length)
    re.initialize(repeating: 0)
    im.initialize(repeating: 0)
    order = .allocate(capacity: length)
    _ = order.initialize(from: (0..<length).map { Self.place(of: $0, in: length) })
  }

  deinit {
    cosines.deallocate()
    order.deallocate()
    re.deallocate()
    im.deallocate()
  }

  /// Where a complex sample goes before the transform: its digits in base 4 (and once 2) in the other order.
  private static func place(of index: Int, in length: Int) -> Int {
    var place = 0
    var rest = index
    var size = length
    while size > 1 {
      let radix = size % 4 == 0 ? 4 : 2
      size /= radix
      place += rest % radix * size
      rest /= radix
    }
    return place
  }

  func energy(of bin: Int) -> UInt64 {
    UInt64(re[bin] &* re[bin]) &+ UInt64(im[bin] &* im[bin])
  }

  /// Bins 1 to half - 1 of the values times 2 to the `shift`, zeros after them.
  func run(_ values: UnsafeMutableBufferPointer<Int32>, shift: Int32) {
    for index in 0..<half {
      let even = 2 * index < values.count ? values[2 * index] : 0
      let odd = 2 * index + 1 < values.count ? values[2 * index + 1] : 0
      put(order[index], even << shift, odd << shift)
    }
    var m = 1
    if bits(of: UInt64(half)) % 2 == 0 {
      for index in stride(from: 0, to: half, by: 2) { pair(index) }
      m = 2
    }
    while m < half {
      let turn = cosines.count / (4 * m)
      for k in 0..<m {
        for index in stride(from: k, to: half, by: 4 * m) { four(index, m, k &* turn) }
      }
      m *= 4
    }
    split()
  }

  private func pair(_ i: Int) {
    let a = part(i, Self.halfFactor)
    let b = part(i + 1, Self.halfFactor)
    put(i, a.re &+ b.re, a.im &+ b.im)
    put(i + 1, a.re &- b.re, a.im &- b.im)
  }

  private func four(_ i: Int, _ m: Int, _ turn: Int) {
    let a = part(i, Self.quarterFactor)
    var b = part(i &+ m, Self.quarterFactor)
    var c = part(i &+ 2 &* m, Self.quarterFactor)
    var d = part(i &+ 3 &* m, Self.quarterFactor)
    // A turn by 0 is a product with 32767 / 32768, which rounding undoes at this size.
    if turn != 0 {
      b = turned(b, turn)
      c = turned(c, 2 &* turn)
      d = turned(d, 3 &* turn)
    }
    let even = Complex(re: a.re &+ c.re, im: a.im &+ c.im)
    let odd = Complex(re: a.re &- c.re, im: a.im &- c.im)
    let plus = Complex(re: b.re &+ d.re, im: b.im &+ d.im)
    let minus = Complex(re: b.re &- d.re, im: b.im &- d.im)
    put(i, even.re &+ plus.re, even.im &+ plus.im)
    put(i &+ m, odd.re &+ minus.im, odd.im &- minus.re)
    put(i &+ 2 &* m, even.re &- plus.re, even.im &- plus.im)
    put(i &+ 3 &* m, odd.re &- minus.im, odd.im &+ minus.re)
  }

  private func split() {
    for k in 1...half / 2 {
      let a = part(k, Self.halfFactor)
      im[half - k] = wrap16(-im[half - k])
      let b = part(half - k, Self.halfFactor)
      let sum = Complex(re: wrap16(a.re &+ b.re), im: wrap16(a.im &+ b.im))
      let less = Complex(re: wrap16(a.re &- b.re), im: wrap16(a.im &- b.im))
      let turn = turned(less, k &+ cosines.count / 4)
      put(k, (sum.re &+ turn.re) >> 1, (sum.im &+ turn.im) >> 1)
      put(half - k, (sum.re &- turn.re) >> 1, (turn.im &- sum.im) >> 1)
    }
  }

  private struct Complex {
    let re: Int32
    let im: Int32
  }

  private static let halfFactor: Int32 = 16383
  private static let quarterFactor: Int32 = 8191

  /// A sample times a fraction of 15 bits, rounded.
  @inline(__always)
  private func part(_ i: Int, _ factor: Int32) -> Complex {
    Complex(re: (re[i] &* factor &+ 16384) >> 15, im: (im[i] &* factor &+ 16384) >> 15)
  }

  /// Times exp(-2 pi i turn / n), rounded.
  @inline(__always)
  private func turned(_ value: Complex, _ turn: Int) -> Complex {
    let mask = cosines.count - 1
    let cosine = cosines[turn & mask]
    let sine = cosines[(turn &+ cosines.count / 4) & mask]
    let real = value.re &* cosine &- value.im &* sine
    let imaginary = value.re &* sine &+ value.im &* cosine
    return Complex(re: wrap16((real &+ 16384) >> 15), im: wrap16((imaginary &+ 16384) >> 15))
  }

  @inline(__always)
  private func put(_ i: Int, _ real: Int32, _ imaginary: Int32) {
    re[i] = wrap16(real)
    im[i] = wrap16(imaginary)
  }
}

private let low32: UInt64 = 0xFFFF_FFFF

/// The low 16 bits with their sign.
private func wrap16(_ value: Int32) -> Int32 { Int32(Int16(truncatingIfNeeded: value)) }

/// Number of bits of a value.
private func bits(of value: UInt64) -> Int { UInt64.bitWidth - value.leadingZeroBitCount }

/// Square root, rounded to the nearest, but at most 16 bits for a value of at most 32.
private func root(of value: UInt64) -> UInt64 {
  if value == 0 { return 0 }
  var rest = value
  var found: UInt64 = 0
  var bit: UInt64 = 1 << UInt64((bits(of: value) - 1) / 2 * 2)
  while bit != 0 {
    if rest >= found &+ bit {
      rest &-= found &+ bit
      found = (found >> 1) &+ bit
    } else {
      found >>= 1
    }
    bit >>= 2
  }
  let most: UInt64 = value >> 32 == 0 ? 0xFFFF : low32
  return rest > found && found != most ? found + 1 : found
}

private func shrink(_ ratio: UInt64) -> UInt64 {
  ratio < 2 << 12 ? (ratio &* ratio) >> 20 : (ratio >> 6) - (1 << 6)
}

/// Natural logarithm: log2 by a straight line and what it lacks at 128 places, times ln 2.
private func logarithm(of x: UInt64, shift: Int) -> UInt64 {
  if x <= 1 { return 0 }
  let whole = bits(of: x) - 1
  let rest = x - (1 << UInt64(whole))
  let part = Int32(whole < 16 ? rest << UInt64(16 - whole) : rest >> UInt64(whole - 16))
  let segment = Int(part >> 9)
  let lack = Int32(logTable[segment])
  let next = Int32(logTable[segment + 1])
  let fraction = part &+ lack &+ (((next &- lack) &* (part &- Int32(segment << 9))) >> 16)
  let natural = (45426 &* ((UInt64(whole) << 16) &+ UInt64(fraction)) &+ 32768) >> 16
  return ((natural << UInt64(shift)) &+ 32768) >> 16
}

private let logTable: [UInt16] = [
  0, 224, 442, 654, 861, 1063, 1259, 1450, 1636, 1817, 1992, 2163, 2329, 2490, 2646, 2797,
  2944, 3087, 3224, 3358, 3487, 3611, 3732, 3848, 3960, 4068, 4172, 4272, 4368, 4460, 4549, 4633,
  4714, 4791, 4864, 4934, 5001, 5063, 5123, 5178, 5231, 5280, 5326, 5368, 5408, 5444, 5477, 5507,
  5533, 5557, 5578, 5595, 5610, 5622, 5631, 5637, 5640, 5641, 5638, 5633, 5626, 5615, 5602, 5586,
  5568, 5547, 5524, 5498, 5470, 5439, 5406, 5370, 5332, 5291, 5249, 5203, 5156, 5106, 5054, 5000,
  4944, 4885, 4825, 4762, 4697, 4630, 4561, 4490, 4416, 4341, 4264, 4184, 4103, 4020, 3935, 3848,
  3759, 3668, 3575, 3481, 3384, 3286, 3186, 3084, 2981, 2875, 2768, 2659, 2549, 2437, 2323, 2207,
  2090, 1971, 1851, 1729, 1605, 1480, 1353, 1224, 1094, 963, 830, 695, 559, 421, 282, 142,
  0,
]
