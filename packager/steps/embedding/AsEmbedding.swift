/// The numbers as a vector, of length 1 where `normalize` says so; one of zeros stays.
final class AsEmbedding {
  private let normalize: Bool

  init(normalize: Bool) {
    self.normalize = normalize
  }

  /// - Throws: ``ContractError/notFinite(index:)``.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> Embedding {
    if let index = input.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
    let length = input.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    guard normalize, length > 0 else { return Embedding(values: Array(input)) }
    return Embedding(values: input.map { Float(Double($0) / length) })
  }
}
