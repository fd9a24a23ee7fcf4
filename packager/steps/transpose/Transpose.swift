/// Rows to columns: [rows, columns] to [columns, rows].
final class Transpose {
  private let rows: Int
  private let columns: Int
  private let output = Scratch<Float>()

  init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// As many numbers; valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    guard input.count == rows * columns else { throw .wrongSize(expected: rows * columns, actual: input.count) }
    let result = output.take(input.count, zero: 0)
    for y in 0..<rows {
      for x in 0..<columns { result[x * rows + y] = input[y * columns + x] }
    }
    return UnsafeBufferPointer(result)
  }
}
