/// The best candidates without those (of their class) whose overlap with a better one is greater than the threshold:
/// best first, equal scores by lower index. The arithmetic is torchvision's.
final class Nms {
  private let capacity: Int
  private let iouThreshold: Float
  private let maxResults: Int
  private let perClass: Bool
  private let flags = Scratch<UInt8>()
  private var kept = Candidates(pointsEach: 0)

  init(capacity: Int, iouThreshold: Float, maxResults: Int, perClass: Bool) {
    self.capacity = capacity
    self.iouThreshold = iouThreshold
    self.maxResults = maxResults
    self.perClass = perClass
  }

  /// Candidates that are valid until the next call.
  func run(_ input: Candidates) throws(ContractError) -> Candidates {
    guard input.size <= capacity else { throw .wrongSize(expected: capacity, actual: input.size) }
    if kept.pointsEach != input.pointsEach { kept = Candidates(pointsEach: input.pointsEach) }
    kept.reserve(maxResults)
    let gone = flags.take(capacity, zero: 0)
    for index in gone.indices { gone[index] = 0 }
    let scores = input.scores
    var best = input.size > 0 ? 0 : -1
    for index in 0..<input.size where scores[index] > scores[best] { best = index }
    while best >= 0, kept.size < maxResults {
      append(input, best)
      best = suppress(input, best, gone)
    }
    return kept
  }

  /// Copies a candidate to the end of the kept ones.
  private func append(_ input: Candidates, _ index: Int) {
    let to = kept.size
    let coordinates = 2 * input.pointsEach
    for i in 0..<4 { kept.boxes[4 * to + i] = input.boxes[4 * index + i] }
    for i in 0..<coordinates { kept.points[coordinates * to + i] = input.points[coordinates * index + i] }
    kept.scores[to] = input.scores[index]
    kept.classes[to] = input.classes[index]
    kept.size = to + 1
  }

  /// Marks `best` and what it suppresses as gone; returns the best of the rest, or -1.
  private func suppress(_ input: Candidates, _ best: Int, _ gone: UnsafeMutableBufferPointer<UInt8>) -> Int {
    let (boxes, scores, classes) = (input.boxes, input.scores, input.classes)
    var next = -1
    gone[best] = 1
    for index in 0..<input.size where gone[index] == 0 {
      let rivals = !perClass || classes[index] == classes[best]
      if rivals, overlap(boxes, 4 * best, 4 * index) > iouThreshold {
        gone[index] = 1
      } else if next < 0 || scores[index] > scores[next] {
        next = index
      }
    }
    return next
  }

  /// Intersection over union of two boxes; NaN for two empty ones.
  private func overlap(_ boxes: UnsafeMutableBufferPointer<Float>, _ one: Int, _ other: Int) -> Float {
    let width = min(boxes[one + 2], boxes[other + 2]) - max(boxes[one], boxes[other])
    let height = min(boxes[one + 3], boxes[other + 3]) - max(boxes[one + 1], boxes[other + 1])
    let inter = (width > 0 ? width : 0) * (height > 0 ? height : 0)
    return inter / (area(boxes, one) + area(boxes, other) - inter)
  }

  private func area(_ boxes: UnsafeMutableBufferPointer<Float>, _ at: Int) -> Float {
    (boxes[at + 2] - boxes[at]) * (boxes[at + 3] - boxes[at + 1])
  }
}
