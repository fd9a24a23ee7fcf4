#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Another sampling rate, `up / down` times the one before, through a polyphase filter in float64.
final class ResamplePolyphase {
  private let up: Int
  private let down: Int
  private let half: Int
  private let taps: [Double]
  private let output = Scratch<Float>()

  init(up: Int, down: Int) {
    self.up = up
    self.down = down
    half = 10 * max(up, down)
    taps = lowPass(half: half, gain: Double(up))
  }

  /// ceil(count * up / down) numbers; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let length = (input.count * up + down - 1) / down
    let result = output.take(length, zero: 0)
    for index in 0..<length {
      let middle = index * down
      var k = middle <= half ? 0 : (middle - half + up - 1) / up
      var sum = 0.0
      while k < input.count, k * up <= middle + half {
        sum += Double(input[k]) * taps[abs(middle - k * up)]
        k += 1
      }
      result[index] = Float(sum)
    }
    return UnsafeBufferPointer(result)
  }
}

/// Taps of a low-pass filter from its middle outwards: `gain` times a windowed sinc of sum 1 and cut-off 10 / half.
private func lowPass(half: Int, gain: Double) -> [Double] {
  let cut = 10 / Double(half)
  var taps: [Double] = []
  for index in 0...half {
    let place = Double(index) / Double(half)
    let angle = Double.pi * cut * Double(index)
    let sinc = index == 0 ? cut : cut * sin(angle) / angle
    taps.append(sinc * besselI0(5 * (1 - place * place).squareRoot()) / besselI0(5))
  }
  var sum = 0.0
  for (index, tap) in taps.enumerated() { sum += index == 0 ? tap : 2 * tap }
  return taps.map { $0 * (gain / sum) }
}

/// Modified Bessel function of the first kind, order 0, by its power series.
private func besselI0(_ x: Double) -> Double {
  let quarter = x * x / 4
  var term = 1.0
  var sum = 1.0
  var k = 1.0
  while term > sum * 1e-17 {
    term *= quarter / (k * k)
    sum += term
    k += 1
  }
  return sum
}
