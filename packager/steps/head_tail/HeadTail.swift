/// The first and the last bytes, `pad` for each that is not there. Only `block` bytes at each end are looked at; with
/// `strip`, white space around the content is left out.
final class HeadTail {
  private let head: Int
  private let tail: Int
  private let block: Int
  private let strip: Bool
  private let pad: Int32
  private let output = Scratch<Int32>()

  init(head: Int, tail: Int, block: Int, strip: Bool, pad: Int) {
    self.head = head
    self.tail = tail
    self.block = block
    self.strip = strip
    self.pad = Int32(pad)
  }

  /// As many numbers as bytes were asked for; valid until the next call.
  func run(_ input: UnsafeBufferPointer<UInt8>) throws(ContractError) -> UnsafeBufferPointer<Int32> {
    let result = output.take(head + tail, zero: 0)
    result.update(repeating: pad)
    let seen = min(block, input.count)
    var from = 0
    while strip, from < seen, Self.isSpace(input[from]) { from += 1 }
    for index in 0..<min(head, seen - from) { result[index] = Int32(input[from + index]) }
    var end = input.count
    var left = seen
    while strip, left > 0, Self.isSpace(input[end - 1]) {
      end -= 1
      left -= 1
    }
    let kept = min(tail, left)
    for index in 0..<kept { result[head + tail - kept + index] = Int32(input[end - kept + index]) }
    return UnsafeBufferPointer(result)
  }

  /// Space, or one of \t \n \v \f \r.
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}

/// ``HeadTail`` as floats.
final class HeadTailFloats {
  private let bytes: HeadTail
  private let output = Scratch<Float>()

  init(head: Int, tail: Int, block: Int, strip: Bool, pad: Int) {
    bytes = HeadTail(head: head, tail: tail, block: block, strip: strip, pad: pad)
  }

  /// As many numbers as bytes were asked for; valid until the next call.
  func run(_ input: UnsafeBufferPointer<UInt8>) throws(ContractError) -> UnsafeBufferPointer<Float> {
    let found = try bytes.run(input)
    let result = output.take(found.count, zero: 0)
    for index in 0..<found.count { result[index] = Float(found[index]) }
    return UnsafeBufferPointer(result)
  }
}
