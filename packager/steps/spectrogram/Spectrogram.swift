#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Magnitude (`power` 1) or power (2) of frames under a periodic Hann window. The first frame starts at sample `first`;
/// zeros lie around the signal. In float64, rounded once.
final class Spectrogram {
  private let hop: Int
  private let first: Int
  private let frames: Int
  private let power: Int
  private let window: [Double]
  private let transform: FourierTransform
  private let output = Scratch<Float>()

  init(frame: Int, hop: Int, fft: Int, first: Int, frames: Int, power: Int) {
    self.hop = hop
    self.first = first
    self.frames = frames
    self.power = power
    window = (0..<frame).map { 0.5 - 0.5 * cos(2 * Double.pi * Double(min($0, frame - $0)) / Double(frame)) }
    transform = FourierTransform(count: fft / 2, length: fft)
  }

  /// `frames` rows of `fft / 2 + 1` numbers; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let bins = transform.count + 1
    let result = output.take(frames * bins, zero: 0)
    for t in 0..<frames {
      takeFrame(input, start: first + t * hop)
      transform.run()
      writeBins(result, at: t * bins)
    }
    return UnsafeBufferPointer(result)
  }

  /// Even samples as real, odd ones as imaginary parts.
  private func takeFrame(_ input: UnsafeBufferPointer<Float>, start: Int) {
    let data = transform.data
    window.withUnsafeBufferPointer { window in
      func sample(_ index: Int) -> Double {
        let at = start + index
        return index >= window.count || at < 0 || at >= input.count ? 0 : Double(input[at]) * window[index]
      }
      for index in 0..<data.count { data[index] = Complex(real: sample(2 * index), imaginary: sample(2 * index + 1)) }
    }
  }

  /// From the transform of half the length to the bins of the frame.
  private func writeBins(_ result: UnsafeMutableBufferPointer<Float>, at row: Int) {
    let data = transform.data
    let half = data.count
    for k in 0...half / 2 {
      let a = data[k]
      let b = data[k == 0 ? 0 : half - k]
      let even = Complex(real: (a.real + b.real) * 0.5, imaginary: (a.imaginary - b.imaginary) * 0.5)
      let odd = Complex(real: (a.imaginary + b.imaginary) * 0.5, imaginary: (b.real - a.real) * 0.5)
      let tail = odd * transform.roots[k]
      result[row + k] = bin(even + tail)
      result[row + half - k] = bin(even - tail)
    }
  }

  private func bin(_ value: Complex) -> Float {
    let both = value.real * value.real + value.imaginary * value.imaginary
    return Float(power == 2 ? both : both.squareRoot())
  }
}
