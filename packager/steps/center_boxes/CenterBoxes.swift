/// Boxes and points of a heat map of centres, as CenterFace's are decoded; the maps hold y before x.
final class CenterBoxes {
  private let columns: Int
  private let rows: Int
  private let classes: Int
  private let points: Int
  private let stride: Float
  private let threshold: Float
  private let cells: Int
  private let found: Candidates

  init(columns: Int, rows: Int, classes: Int, points: Int, stride: Float, threshold: Float) {
    self.columns = columns
    self.rows = rows
    self.classes = classes
    self.points = points
    self.stride = stride
    self.threshold = threshold
    cells = columns * rows
    found = Candidates(pointsEach: points)
  }

  /// Candidates in the order of cells, valid until the next call.
  func run(
    _ heat: UnsafeBufferPointer<Float>, _ sizes: UnsafeBufferPointer<Float>, _ offsets: UnsafeBufferPointer<Float>,
    _ places: UnsafeBufferPointer<Float>
  ) throws(ContractError) -> Candidates {
    try check(heat, classes)
    try check(sizes, 2)
    try check(offsets, 2)
    try check(places, 2 * points)
    found.reserve(cells)
    for cell in 0..<cells where try score(heat, cell) {
      for axis in 0..<2 {
        let from = (1 - axis) * cells + cell
        let length = try finite(Float(exactExp(Double(sizes[from]))) * stride, from)
        let index = Float(axis == 0 ? cell % columns : cell / columns)
        let middle = (index + offsets[from] + 0.5) * stride - length / 2
        guard !middle.isNaN else { throw .notFinite(index: from) }
        try place(places, from, axis, middle, length)
      }
      found.size += 1
    }
    return found
  }

  private func check(_ map: UnsafeBufferPointer<Float>, _ channels: Int) throws(ContractError) {
    guard map.count == channels * cells else { throw .wrongSize(expected: channels * cells, actual: map.count) }
  }

  /// Writes the best class and its score at the end; false where it is below the threshold.
  private func score(_ heat: UnsafeBufferPointer<Float>, _ cell: Int) throws(ContractError) -> Bool {
    let to = found.size
    for kind in 0..<classes {
      let value = heat[kind * cells + cell]
      guard value.isFinite else { throw .notFinite(index: kind * cells + cell) }
      if kind == 0 || value > found.scores[to] {
        found.scores[to] = value
        found.classes[to] = Int32(truncatingIfNeeded: kind)
      }
    }
    return found.scores[to] >= threshold
  }

  /// Writes both edges and the points' coordinates of one axis at the end.
  private func place(
    _ places: UnsafeBufferPointer<Float>, _ from: Int, _ axis: Int, _ middle: Float, _ length: Float
  ) throws(ContractError) {
    let side = Float(axis == 0 ? columns : rows) * stride
    let first = min(max(middle, 0), side)
    found.boxes[4 * found.size + axis] = first
    found.boxes[4 * found.size + 2 + axis] = min(first + length, side)
    for point in 0..<points {
      let value = places[from + 2 * point * cells] * length + first
      found.points[2 * (points * found.size + point) + axis] = try finite(value, from)
    }
  }

  private func finite(_ value: Float, _ index: Int) throws(ContractError) -> Float {
    guard value.isFinite else { throw .notFinite(index: index) }
    return value
  }
}
