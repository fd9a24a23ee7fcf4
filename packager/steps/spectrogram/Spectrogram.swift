#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Magnitude (`power` 1) or power (2) of frames under a periodic Hann window. The first frame starts at sample `first`;
/// zeros lie around the signal. In float64, rounded once.
final class Spectrogram {
  private let frame: Int
  private let hop: Int
  private let first: Int
  private let frames: Int
  private let power: Int
  private let window: [Double]
  private let transform: FourierTransform
  private let output = Scratch<Float>()

  init(frame: Int, hop: Int, fft: Int, first: Int, frames: Int, power: Int) {
    self.frame = frame
    self.hop = hop
    self.first = first
    self.frames = frames
    self.power = power
    window = (0..<frame).map { 0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(frame)) }
    transform = FourierTransform(length: fft)
  }

  /// `frames` rows of `fft / 2 + 1` numbers; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let bins = transform.length / 2 + 1
    let result = output.take(frames * bins, zero: 0)
    let samples = transform.samples
    for t in 0..<frames {
      let start = first + t * hop
      for index in 0..<frame {
        let at = start + index
        samples[index] = at < 0 || at >= input.count ? 0 : Double(input[at]) * window[index]
      }
      let spectrum = transform.run()
      for k in 0..<bins {
        let both = spectrum[k].real * spectrum[k].real + spectrum[k].imaginary * spectrum[k].imaginary
        result[t * bins + k] = Float(power == 2 ? both : both.squareRoot())
      }
    }
    return UnsafeBufferPointer(result)
  }
}

/// A complex number.
struct Complex: BitwiseCopyable {
  var real: Double
  var imaginary: Double

  static func * (a: Complex, b: Complex) -> Complex {
    Complex(
      real: a.real * b.real - a.imaginary * b.imaginary, imaginary: a.real * b.imaginary + a.imaginary * b.real)
  }

  static func + (a: Complex, b: Complex) -> Complex {
    Complex(real: a.real + b.real, imaginary: a.imaginary + b.imaginary)
  }

  static func - (a: Complex, b: Complex) -> Complex {
    Complex(real: a.real - b.real, imaginary: a.imaginary - b.imaginary)
  }
}

/// Discrete Fourier transform of real samples by decimation in time; the length has the factors 2, 3 and 5.
final class FourierTransform {
  let length: Int
  /// What is transformed: `length` numbers, zero at first.
  let samples: UnsafeMutableBufferPointer<Double>
  private let twiddles: UnsafeMutableBufferPointer<Complex>
  private let spectrum: UnsafeMutableBufferPointer<Complex>
  private let held: UnsafeMutableBufferPointer<Complex>

  init(length: Int) {
    self.length = length
    let zero = Complex(real: 0, imaginary: 0)
    samples = .allocate(capacity: length)
    samples.initialize(repeating: 0)
    twiddles = .allocate(capacity: length)
    twiddles.initialize(repeating: zero)
    spectrum = .allocate(capacity: length)
    spectrum.initialize(repeating: zero)
    held = .allocate(capacity: 5)
    held.initialize(repeating: zero)
    for index in 0..<length {
      let angle = 2 * Double.pi * Double(index) / Double(length)
      twiddles[index] = Complex(real: cos(angle), imaginary: -sin(angle))
    }
  }

  deinit {
    samples.deallocate()
    twiddles.deallocate()
    spectrum.deallocate()
    held.deallocate()
  }

  /// The spectrum of `samples`; valid until the next call.
  func run() -> UnsafeMutableBufferPointer<Complex> {
    transform(from: 0, count: length, step: 1, out: 0)
    return spectrum
  }

  private func transform(from: Int, count: Int, step: Int, out: Int) {
    if count == 1 {
      spectrum[out] = Complex(real: samples[from], imaginary: 0)
      return
    }
    let radix = count % 2 == 0 ? 2 : count % 3 == 0 ? 3 : 5
    let part = count / radix
    for q in 0..<radix { transform(from: from + q * step, count: part, step: step * radix, out: out + q * part) }
    if radix == 2 {
      pairs(out: out, part: part, step: step)
    } else {
      butterflies(out: out, radix: radix, part: part, step: step)
    }
  }

  private func pairs(out: Int, part: Int, step: Int) {
    for index in 0..<part {
      let even = spectrum[out + index]
      let odd = spectrum[out + index + part] * twiddles[index * step]
      spectrum[out + index] = even + odd
      spectrum[out + index + part] = even - odd
    }
  }

  private func butterflies(out: Int, radix: Int, part: Int, step: Int) {
    for index in 0..<part {
      for q in 0..<radix { held[q] = spectrum[out + index + q * part] }
      for r in 0..<radix {
        let k = index + r * part
        var sum = held[0]
        var turn = 0
        for q in 1..<radix {
          turn = (turn + step * k) % length
          sum = sum + held[q] * twiddles[turn]
        }
        spectrum[out + k] = sum
      }
    }
  }
}
