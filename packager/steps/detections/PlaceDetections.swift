/// The `top` best candidates, equal scores by lower index, as named detections in pixels of the original image.
final class PlaceDetections {
  private let names: [String]
  private let top: Int
  private let geometry: [Int]

  init(names: [String], top: Int, geometry: [Int]) {
    self.names = names
    self.top = top
    self.geometry = geometry
  }

  /// Boxes are clipped to the image, points are not.
  ///
  /// - Throws: ``ContractError/notFinite(index:)``, or ``ContractError/wrongSize(expected:actual:)`` for a class without
  ///   a label.
  func run(_ input: Candidates, _ photo: ImageSize) throws(ContractError) -> Detections {
    try check(input)
    let way = try Mapping(moves: geometry, photo: photo)
    let scores = input.scores
    let order = (0..<input.size).sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    return Detections(detections: order.prefix(top).map { detection(input, at: $0, way: way, photo: photo) })
  }

  private func check(_ input: Candidates) throws(ContractError) {
    let points = input.size * input.pointsEach * 2
    for (values, count) in [(input.boxes, input.size * 4), (input.points, points), (input.scores, input.size)] {
      if let index = values.prefix(count).firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
    }
    for index in input.classes.prefix(input.size) where !names.indices.contains(Int(index)) {
      throw .wrongSize(expected: names.count, actual: Int(index))
    }
  }

  private func detection(_ input: Candidates, at: Int, way: Mapping, photo: ImageSize) -> Detection {
    let points = (0..<input.pointsEach).map { each in
      let place = (at * input.pointsEach + each) * 2
      let (x, y) = way.place(x: input.points[place], y: input.points[place + 1])
      return Point(x: x, y: y)
    }
    let boxes = input.boxes
    let a = way.place(x: boxes[at * 4], y: boxes[at * 4 + 1])
    let b = way.place(x: boxes[at * 4 + 2], y: boxes[at * 4 + 3])
    let box = Box(
      left: clipped(min(a.x, b.x), photo.width), top: clipped(min(a.y, b.y), photo.height),
      right: clipped(max(a.x, b.x), photo.width), bottom: clipped(max(a.y, b.y), photo.height))
    let index = Int(input.classes[at])
    return Detection(label: names[index], score: input.scores[at], index: index, box: box, points: points)
  }

  private func clipped(_ edge: Float, _ side: Int) -> Float {
    min(max(edge, 0), Float(side))
  }
}
