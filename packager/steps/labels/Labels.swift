/// Names the best classes: best first, equal scores by lower index.
final class Labels {
  private let names: [String]
  private let top: Int

  init(names: [String], top: Int) {
    self.names = names
    self.top = top
  }

  /// The `top` best classes of one score per name.
  ///
  /// - Throws: ``ContractError/wrongSize(expected:actual:)``, or ``ContractError/notFinite(index:)`` for a score
  ///   that is not finite.
  func run(_ scores: UnsafeBufferPointer<Float>) throws(ContractError) -> Classification {
    guard scores.count == names.count else { throw .wrongSize(expected: names.count, actual: scores.count) }
    if let index = scores.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
    let order = scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    return Classification(
      labels: order.prefix(top).map { Classification.Label(label: names[$0], score: scores[$0], index: $0) })
  }
}
