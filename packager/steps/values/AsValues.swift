/// The numbers with their shape and unit.
final class AsValues {
  private let shape: [Int]
  private let unit: String

  init(shape: [Int], unit: String) {
    self.shape = shape
    self.unit = unit
  }

  /// - Throws: ``ContractError/notFinite(index:)``.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> Values {
    if let index = input.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
    return Values(values: Array(input), shape: shape, unit: unit)
  }
}
