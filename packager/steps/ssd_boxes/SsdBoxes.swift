/// Which of a pair comes first: x and width, or y and height.
enum BoxOrder {
  case xywh, yxhw
}

/// Boxes, points and best class of an SSD head, as MediaPipe decodes them.
///
/// The anchors lie in grids of `columns` x `rows` cells, `sizes` for each cell, whose widths and heights stand one grid
/// after the other.
final class SsdBoxes {
  private let columns: [Int]
  private let rows: [Int]
  private let sizes: [Int]
  private let anchorWidths: [Float]
  private let anchorHeights: [Float]
  private let offset: [Float]
  private let scale: [Float]
  private let inputSize: [Int]
  private let points: Int
  private let classes: Int
  private let order: BoxOrder
  private let exponential: Bool
  private let sigmoid: Bool
  private let clip: Float
  private let threshold: Float
  private let count: Int
  private let found: Candidates

  init(
    columns: [Int], rows: [Int], sizes: [Int], anchorWidths: [Float], anchorHeights: [Float], offset: [Float],
    scale: [Float], inputSize: [Int], points: Int, classes: Int, order: BoxOrder, exponential: Bool, sigmoid: Bool,
    clip: Float, threshold: Float
  ) {
    self.columns = columns
    self.rows = rows
    self.sizes = sizes
    self.anchorWidths = anchorWidths
    self.anchorHeights = anchorHeights
    self.offset = offset
    self.scale = scale
    self.inputSize = inputSize
    self.points = points
    self.classes = classes
    self.order = order
    self.exponential = exponential
    self.sigmoid = sigmoid
    self.clip = clip
    self.threshold = threshold
    count = columns.indices.reduce(0) { $0 + columns[$1] * rows[$1] * sizes[$1] }
    found = Candidates(pointsEach: points)
  }

  /// Candidates in index order, valid until the next call.
  func run(
    _ boxes: UnsafeBufferPointer<Float>, _ scores: UnsafeBufferPointer<Float>
  ) throws(ContractError) -> Candidates {
    let numbers = 4 + 2 * points
    guard boxes.count == count * numbers else { throw .wrongSize(expected: count * numbers, actual: boxes.count) }
    guard scores.count == count * classes else { throw .wrongSize(expected: count * classes, actual: scores.count) }
    found.reserve(count)
    var anchor = 0
    var first = 0
    for grid in columns.indices {
      for cell in 0..<columns[grid] * rows[grid] {
        let x = (Float(cell % columns[grid]) + offset[0]) / Float(columns[grid])
        let y = (Float(cell / columns[grid]) + offset[1]) / Float(rows[grid])
        for kind in first..<first + sizes[grid] {
          if try score(scores, anchor * classes) {
            try place(boxes, anchor * numbers, 0, x, anchorWidths[kind])
            try place(boxes, anchor * numbers, 1, y, anchorHeights[kind])
            keepUpright()
          }
          anchor += 1
        }
      }
      first += sizes[grid]
    }
    return found
  }

  /// Writes the best class and its score at the end; false where it is below the threshold.
  private func score(_ scores: UnsafeBufferPointer<Float>, _ at: Int) throws(ContractError) -> Bool {
    var best: Float = 0
    for kind in 0..<classes {
      let raw = scores[at + kind]
      guard raw.isFinite else { throw .notFinite(index: at + kind) }
      let logit = raw > clip ? clip : raw < -clip ? -clip : raw
      if kind == 0 || logit > best {
        best = logit
        found.classes[found.size] = Int32(truncatingIfNeeded: kind)
      }
    }
    let score = sigmoid ? exactSigmoid(best) : best
    found.scores[found.size] = score
    return score >= threshold
  }

  /// Writes both edges and the points' coordinates of one axis at the end.
  private func place(
    _ boxes: UnsafeBufferPointer<Float>, _ raw: Int, _ axis: Int, _ anchorCenter: Float, _ anchorSize: Float
  ) throws(ContractError) {
    let first = raw + (order == .xywh ? axis : 1 - axis)
    let side = Float(inputSize[axis])
    let center = boxes[first] / scale[axis] * anchorSize + anchorCenter
    var size = boxes[first + 2] / scale[2 + axis]
    if exponential { size = Float(exactExp(Double(size))) }
    let half = size * anchorSize / 2
    found.boxes[4 * found.size + axis] = try finite((center - half) * side, first)
    found.boxes[4 * found.size + 2 + axis] = try finite((center + half) * side, first)
    for point in 0..<points {
      let from = first + 4 + 2 * point
      let value = boxes[from] / scale[axis] * anchorSize + anchorCenter
      found.points[2 * (points * found.size + point) + axis] = try finite(value * side, from)
    }
  }

  private func finite(_ value: Float, _ index: Int) throws(ContractError) -> Float {
    guard value.isFinite else { throw .notFinite(index: index) }
    return value
  }

  /// Keeps the box at the end unless its width or height is negative.
  private func keepUpright() {
    let to = 4 * found.size
    if found.boxes[to + 2] >= found.boxes[to], found.boxes[to + 3] >= found.boxes[to + 1] { found.size += 1 }
  }
}

/// exp(x), x clamped to [-200, 200], the same to the bit everywhere: 2^k times a polynomial of r, x = k * ln 2 + r.
func exactExp(_ x: Double) -> Double {
  guard !x.isNaN else { return x }
  let clamped = x > 200 ? 200 : x < -200 ? -200 : x
  let k = (clamped * 1.4426950408889634 + 0.5).rounded(.down)
  let r = (clamped - k * 0.6931471803691238) - k * 1.9082149292705877e-10
  var p = 2.505210838544172e-08
  p = p * r + 2.755731922398589e-07
  p = p * r + 2.7557319223985893e-06
  p = p * r + 2.48015873015873e-05
  p = p * r + 0.0001984126984126984
  p = p * r + 0.001388888888888889
  p = p * r + 0.008333333333333333
  p = p * r + 0.041666666666666664
  p = p * r + 0.16666666666666666
  p = p * r + 0.5
  p = p * r + 1
  p = p * r + 1
  return p * Double(bitPattern: UInt64(1023 + Int64(k)) << 52)
}

/// 1 / (1 + exp(-x)) in float64, rounded once; x is finite.
func exactSigmoid(_ x: Float) -> Float {
  let small = exactExp(-Double(x.magnitude))
  return Float((x >= 0 ? 1 : small) / (1 + small))
}
