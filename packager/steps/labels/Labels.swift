/// Names the best classes: best first, equal scores by lower index.
final class Labels {
  private let best: BestLabels

  init(names: [String], top: Int) {
    best = BestLabels(names: names, top: top, threshold: -.infinity)
  }

  /// The `top` best of one score per name.
  ///
  /// - Throws: ``ContractError/wrongSize(expected:actual:)``, or ``ContractError/notFinite(index:)``.
  func run(_ scores: UnsafeBufferPointer<Float>) throws(ContractError) -> Classification {
    try best.run(scores)
  }
}

/// ``Labels``, of these the ones with a score of at least `threshold`; there may be none.
final class LabelsAbove {
  private let best: BestLabels

  init(names: [String], top: Int, threshold: Float) {
    best = BestLabels(names: names, top: top, threshold: threshold)
  }

  /// At most the `top` best of one score per name.
  ///
  /// - Throws: ``ContractError/wrongSize(expected:actual:)``, or ``ContractError/notFinite(index:)``.
  func run(_ scores: UnsafeBufferPointer<Float>) throws(ContractError) -> Classification {
    try best.run(scores)
  }
}

private struct BestLabels {
  let names: [String]
  let top: Int
  let threshold: Float

  func run(_ scores: UnsafeBufferPointer<Float>) throws(ContractError) -> Classification {
    guard scores.count == names.count else { throw .wrongSize(expected: names.count, actual: scores.count) }
    if let index = scores.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
    let order = scores.indices.filter { scores[$0] >= threshold }
      .sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    return Classification(
      labels: order.prefix(top).map { Classification.Label(label: names[$0], score: scores[$0], index: $0) })
  }
}
