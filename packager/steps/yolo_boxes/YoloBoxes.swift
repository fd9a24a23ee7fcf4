/// How a head's tensor is laid out: v5 a row for each box, with objectness; v8 a column for each box.
enum YoloLayout {
  case v5, v8
}

/// Boxes, best class and score of a YOLO head; `width` and `height` are the coordinates' factors.
final class YoloBoxes {
  private let boxes: Int
  private let classes: Int
  private let rows: Bool
  private let width: Float
  private let height: Float
  private let threshold: Float
  private let numbers: Int
  private let found = Candidates(pointsEach: 0)

  init(boxes: Int, classes: Int, layout: YoloLayout, width: Float, height: Float, threshold: Float) {
    self.boxes = boxes
    self.classes = classes
    self.rows = layout == .v5
    self.width = width
    self.height = height
    self.threshold = threshold
    self.numbers = classes + (layout == .v5 ? 5 : 4)
  }

  /// Candidates in index order, valid until the next call.
  func run(_ input: UnsafeBufferPointer<Float>) throws(ContractError) -> Candidates {
    guard input.count == boxes * numbers else { throw .wrongSize(expected: boxes * numbers, actual: input.count) }
    found.reserve(boxes)
    let (scores, kinds) = (found.scores, found.classes)
    for kind in 0..<classes {
      for box in 0..<boxes {
        let at = rows ? box * numbers + 5 + kind : (4 + kind) * boxes + box
        let score = rows ? input[at] * input[box * numbers + 4] : input[at]
        guard score.isFinite else { throw .notFinite(index: at) }
        if kind == 0 || score > scores[box] {
          scores[box] = score
          kinds[box] = Int32(truncatingIfNeeded: kind)
        }
      }
    }
    for box in 0..<boxes where scores[box] >= threshold {
      guard try place(input, rows ? box * numbers : box) else { continue }
      scores[found.size] = scores[box]
      kinds[found.size] = kinds[box]
      found.size += 1
    }
    return found
  }

  /// Writes the box at the end; false where its width or height is negative.
  private func place(_ input: UnsafeBufferPointer<Float>, _ at: Int) throws(ContractError) -> Bool {
    let next = rows ? 1 : boxes
    let to = 4 * found.size
    for axis in 0..<2 {
      let center = input[at + axis * next]
      let half = input[at + (2 + axis) * next] / 2
      let factor = axis == 0 ? width : height
      let first = (center - half) * factor
      let last = (center + half) * factor
      guard first.isFinite, last.isFinite else { throw .notFinite(index: at + axis * next) }
      found.boxes[to + axis] = first
      found.boxes[to + 2 + axis] = last
    }
    return found.boxes[to + 2] >= found.boxes[to] && found.boxes[to + 3] >= found.boxes[to + 1]
  }
}
