/// Whether windows start with the first row, or end with the last.
enum WindowPlace {
  case first, last
}

/// Windows of a series, `hop` rows apart; with `pad`, zeros stand for rows that are not there.
final class Window {
  private let length: Int
  private let hop: Int
  private let count: Int
  private let place: WindowPlace
  private let pad: Bool
  private let output = Scratch<Float>()

  init(length: Int, hop: Int, count: Int, place: WindowPlace, pad: Bool) {
    self.length = length
    self.hop = hop
    self.count = count
    self.place = place
    self.pad = pad
  }

  /// Window after window, row after row; valid until the next call.
  func run(_ input: SeriesView) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let needed = length + (count - 1) * hop
    guard input.length >= needed || pad else { throw .wrongSize(expected: needed, actual: input.length) }
    let channels = input.channels
    let result = output.take(count * length * channels, zero: 0)
    let start = place == .first ? 0 : input.length - needed
    var target = 0
    for index in 0..<count {
      let first = start + index * hop
      for row in first..<first + length {
        let there = row >= 0 && row < input.length
        for channel in 0..<channels { result[target + channel] = there ? input.values[row * channels + channel] : 0 }
        target += channels
      }
    }
    return UnsafeBufferPointer(result)
  }
}
