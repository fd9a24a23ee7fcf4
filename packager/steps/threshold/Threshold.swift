/// One number to one label with the number as its score: the second of two names above the limit, else the first.
final class Threshold {
  private let names: [String]
  private let limit: Float

  init(names: [String], limit: Float) {
    self.names = names
    self.limit = limit
  }

  /// One label.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> Classification {
    guard input.count == 1 else { throw .wrongSize(expected: 1, actual: input.count) }
    let score = input[0]
    guard score.isFinite else { throw .notFinite(index: 0) }
    let index = score > limit ? 1 : 0
    return Classification(labels: [Classification.Label(label: names[index], score: score, index: index)])
  }
}
