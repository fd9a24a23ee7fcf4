/// Scores for each cell of a grid to the best class (ties: the lower one) for each pixel of the original image.
final class PlaceMaskBest {
  private let grid: MaskGrid

  init(
    names: [String], gridWidth: Int, gridHeight: Int, channels: Int, planar: Bool, width: Int, height: Int,
    geometry: [Int]
  ) {
    grid = MaskGrid(
      names: names, gridWidth: gridWidth, gridHeight: gridHeight, channels: channels, planar: planar, width: width,
      height: height, geometry: geometry)
  }

  /// - Throws: ``ContractError/notFinite(index:)``, or ``ContractError/wrongSize(expected:actual:)``.
  func run(_ input: UnsafeBufferPointer<Float>, _ photo: ImageSize) throws(ContractError) -> Mask {
    try grid.check(input)
    return try grid.place(photo) { cell in
      var best = 0
      for channel in 1..<grid.channels where input[grid.at(cell, channel)] > input[grid.at(cell, best)] {
        best = channel
      }
      return UInt8(best)
    }
  }
}

/// Scores for each cell of a grid to class 1 where `channel` is at least `threshold`, for each pixel of the original.
final class PlaceMaskAbove {
  private let grid: MaskGrid
  private let channel: Int
  private let threshold: Float

  init(
    names: [String], gridWidth: Int, gridHeight: Int, channels: Int, planar: Bool, channel: Int, threshold: Float,
    width: Int, height: Int, geometry: [Int]
  ) {
    grid = MaskGrid(
      names: names, gridWidth: gridWidth, gridHeight: gridHeight, channels: channels, planar: planar, width: width,
      height: height, geometry: geometry)
    self.channel = channel
    self.threshold = threshold
  }

  /// - Throws: ``ContractError/notFinite(index:)``, or ``ContractError/wrongSize(expected:actual:)``.
  func run(_ input: UnsafeBufferPointer<Float>, _ photo: ImageSize) throws(ContractError) -> Mask {
    try grid.check(input)
    return try grid.place(photo) { input[grid.at($0, channel)] >= threshold ? 1 : 0 }
  }
}

/// The model's grid, and its way back to the original image.
private struct MaskGrid {
  let names: [String]
  let gridWidth: Int
  let gridHeight: Int
  let channels: Int
  let planar: Bool
  let width: Int
  let height: Int
  let geometry: [Int]

  private let grid = Scratch<UInt8>()
  private let columns = Scratch<Int>()

  init(
    names: [String], gridWidth: Int, gridHeight: Int, channels: Int, planar: Bool, width: Int, height: Int,
    geometry: [Int]
  ) {
    self.names = names
    self.gridWidth = gridWidth
    self.gridHeight = gridHeight
    self.channels = channels
    self.planar = planar
    self.width = width
    self.height = height
    self.geometry = geometry
  }

  func at(_ cell: Int, _ channel: Int) -> Int {
    planar ? channel * gridWidth * gridHeight + cell : cell * channels + channel
  }

  func check(_ input: UnsafeBufferPointer<Float>) throws(ContractError) {
    let needed = gridWidth * gridHeight * channels
    guard input.count == needed else { throw .wrongSize(expected: needed, actual: input.count) }
    if let index = input.firstIndex(where: { !$0.isFinite }) { throw .notFinite(index: index) }
  }

  func place(_ photo: ImageSize, _ classOf: (Int) -> UInt8) throws(ContractError) -> Mask {
    let way = try Mapping(moves: geometry, photo: photo)
    let classes = grid.take(gridWidth * gridHeight, zero: 0)
    for cell in classes.indices { classes[cell] = classOf(cell) }
    let (across, down) = way.isTurned ? (gridHeight, gridWidth) : (gridWidth, gridHeight)
    let (sideX, sideY) = way.isTurned ? (height, width) : (width, height)
    let columns = columns.take(photo.width, zero: 0)
    for x in columns.indices { columns[x] = cell(x, way.scaleX, way.offsetX, sideX, across) }
    let count = photo.width * photo.height
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      for y in 0..<photo.height {
        let row = cell(y, way.scaleY, way.offsetY, sideY, down)
        for x in 0..<photo.width {
          let column = columns[x]
          let at = way.isTurned ? column * gridWidth + row : row * gridWidth + column
          buffer[y * photo.width + x] = row >= 0 && column >= 0 ? classes[at] : 0
        }
      }
      used = count
    }
    return Mask(width: photo.width, height: photo.height, classes: result, labels: names)
  }

  /// The cell of an original pixel along one axis, -1 outside of the model's input.
  private func cell(_ pixel: Int, _ scale: Double, _ offset: Double, _ side: Int, _ count: Int) -> Int {
    let u = ((Double(pixel) + 0.5) - offset) / scale
    guard u >= 0, u < Double(side) else { return -1 }
    return min(Int((u * Double(count) / Double(side)).rounded(.down)), count - 1)
  }
}
