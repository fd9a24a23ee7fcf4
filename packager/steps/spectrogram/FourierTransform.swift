#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

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

  /// Times -i.
  var turned: Complex { Complex(real: imaginary, imaginary: -real) }
}

/// Discrete Fourier transform of `count` complex values, factors 2, 3 and 5, by Stockham's passes.
final class FourierTransform {
  let count: Int
  /// What is transformed, and after `run()` its transform.
  private(set) var data: UnsafeMutableBufferPointer<Complex>
  /// exp(-2 pi i k / length), `length` a multiple of `count`.
  let roots: UnsafeMutableBufferPointer<Complex>
  private var other: UnsafeMutableBufferPointer<Complex>

  init(count: Int, length: Int) {
    self.count = count
    let zero = Complex(real: 0, imaginary: 0)
    data = .allocate(capacity: count)
    data.initialize(repeating: zero)
    other = .allocate(capacity: count)
    other.initialize(repeating: zero)
    roots = .allocate(capacity: length)
    roots.initialize(repeating: zero)
    for k in 0...length / 2 {
      let angle = 2 * Double.pi * Double(k) / Double(length)
      roots[(length - k) % length] = Complex(real: cos(angle), imaginary: sin(angle))
      roots[k] = Complex(real: cos(angle), imaginary: -sin(angle))
    }
  }

  deinit {
    data.deallocate()
    other.deallocate()
    roots.deallocate()
  }

  func run() {
    var left = count
    var width = 1
    while left > 1 {
      let radix = left % 4 == 0 ? 4 : left % 2 == 0 ? 2 : left % 3 == 0 ? 3 : 5
      let turn = roots.count / left
      left /= radix
      for part in 0..<left {
        switch radix {
        case 4: fours(part, apart: left * width, width: width, turn: part * turn)
        case 2: pairs(part, apart: left * width, width: width, turn: part * turn)
        default: groups(of: radix, part, apart: left * width, width: width, turn: part * turn)
        }
      }
      swap(&data, &other)
      width *= radix
    }
  }

  private func pairs(_ part: Int, apart: Int, width: Int, turn: Int) {
    let (from, to, root) = (data, other, roots[turn])
    for q in 0..<width {
      let a = from[part * width + q]
      let b = from[part * width + q + apart]
      to[2 * part * width + q] = a + b
      to[(2 * part + 1) * width + q] = (a - b) * root
    }
  }

  private func fours(_ part: Int, apart: Int, width: Int, turn: Int) {
    let (from, to) = (data, other)
    let (one, two, three) = (roots[turn], roots[2 * turn], roots[3 * turn])
    for q in 0..<width {
      let at = part * width + q
      let (a, b, c, d) = (from[at], from[at + apart], from[at + 2 * apart], from[at + 3 * apart])
      let (even, odd, sum, difference) = (a + c, a - c, b + d, (b - d).turned)
      let place = 4 * part * width + q
      to[place] = even + sum
      to[place + width] = (odd + difference) * one
      to[place + 2 * width] = (even - sum) * two
      to[place + 3 * width] = (odd - difference) * three
    }
  }

  /// Any radix, by the definition.
  private func groups(of radix: Int, _ part: Int, apart: Int, width: Int, turn: Int) {
    for k in 0..<radix {
      for q in 0..<width {
        var sum = data[part * width + q]
        for j in 1..<radix {
          sum = sum + data[part * width + q + j * apart] * roots[j * k % radix * (roots.count / radix)]
        }
        other[(radix * part + k) * width + q] = sum * roots[k * turn]
      }
    }
  }
}
