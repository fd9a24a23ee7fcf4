#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How the first coefficient is scaled.
enum CepstralScaling {
  case alike, orthonormal
}

/// The first coefficients of the DCT-II of each row, in float64, rounded once.
final class Mfcc {
  private let columns: Int
  private let count: Int
  private let matrix: [Double]
  private let output = Scratch<Float>()

  init(columns: Int, count: Int, scaling: CepstralScaling) {
    self.columns = columns
    self.count = count
    var matrix: [Double] = []
    for k in 0..<count {
      let first = k == 0 && scaling == .orthonormal
      let scale = ((first ? 1 : 2) / Double(columns)).squareRoot()
      for index in 0..<columns {
        matrix.append(scale * cos(Double.pi * Double(k * (2 * index + 1)) / (2 * Double(columns))))
      }
    }
    self.matrix = matrix
  }

  /// `count` numbers for each row; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard input.count % columns == 0 else { throw .wrongSize(expected: columns, actual: input.count) }
    let frames = input.count / columns
    let result = output.take(frames * count, zero: 0)
    for t in 0..<frames {
      for k in 0..<count {
        var sum = 0.0
        for index in 0..<columns { sum += Double(input[t * columns + index]) * matrix[k * columns + index] }
        result[t * count + k] = Float(sum)
      }
    }
    return UnsafeBufferPointer(result)
  }
}
