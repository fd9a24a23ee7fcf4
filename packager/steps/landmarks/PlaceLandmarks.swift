/// Points of `dimensions` numbers, in units of 1 / `across` and 1 / `down` pixels of the model's input, with a score of 1.
final class PlaceLandmarks {
  private let dimensions: Int
  private let across: Float
  private let down: Float
  private let geometry: [Int]

  init(dimensions: Int, across: Float, down: Float, geometry: [Int]) {
    self.dimensions = dimensions
    self.across = across
    self.down = down
    self.geometry = geometry
  }

  /// - Throws: ``ContractError/notFinite(index:)``, or ``ContractError/wrongSize(expected:actual:)``.
  func run(_ input: UnsafeBufferPointer<Float>, _ photo: ImageSize) throws(ContractError) -> Landmarks {
    Landmarks(score: 1, points: try points(input, photo))
  }

  func points(_ input: UnsafeBufferPointer<Float>, _ photo: ImageSize) throws(ContractError) -> [Point3] {
    let count = input.count / dimensions
    guard count * dimensions == input.count else {
      throw .wrongSize(expected: count * dimensions, actual: input.count)
    }
    if let index = input.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
    let way = try Mapping(moves: geometry, photo: photo)
    let depth = Float((way.isTurned ? way.scaleY : way.scaleX).magnitude)
    return (0..<count).map { each in
      let at = each * dimensions
      let (x, y) = way.place(x: input[at] * across, y: input[at + 1] * down)
      return Point3(x: x, y: y, z: dimensions > 2 ? input[at + 2] * across * depth : 0)
    }
  }
}

/// ``PlaceLandmarks`` with the score of a second tensor, after a sigmoid where `squash` says so.
final class PlaceLandmarksScored {
  private let place: PlaceLandmarks
  private let squash: Bool
  private let sigmoid = Sigmoid()

  init(dimensions: Int, across: Float, down: Float, squash: Bool, geometry: [Int]) {
    place = PlaceLandmarks(dimensions: dimensions, across: across, down: down, geometry: geometry)
    self.squash = squash
  }

  /// - Throws: ``ContractError/notFinite(index:)``, or ``ContractError/wrongSize(expected:actual:)``.
  func run(
    _ input: UnsafeBufferPointer<Float>, _ score: UnsafeBufferPointer<Float>, _ photo: ImageSize
  ) throws(ContractError) -> Landmarks {
    guard score.count == 1 else { throw .wrongSize(expected: 1, actual: score.count) }
    guard score[0].isFinite else { throw .notFinite(index: 0) }
    let sure = squash ? try sigmoid.run(score)[0] : score[0]
    return Landmarks(score: sure, points: try place.points(input, photo))
  }
}
