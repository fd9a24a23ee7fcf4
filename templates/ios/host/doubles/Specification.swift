import Foundation

/// Interface and metadata of a `.mlpackage`, as far as the double needs them.
///
/// Field numbers are those of coremltools' `Model.proto` and `FeatureTypes.proto`: Model {2 description},
/// ModelDescription {1 input, 10 output, 100 metadata}, FeatureDescription {1 name, 3 type}, FeatureType
/// {5 multiArrayType}, ArrayFeatureType {1 shape, 2 dataType}, Metadata {100 userDefined}.
struct Specification {
  var inputs: [String: MLFeatureDescription] = [:]
  var outputs: [String: MLFeatureDescription] = [:]
  var userDefined: [String: String] = [:]

  init(package: URL) throws {
    let manifest = try Data(contentsOf: package.appendingPathComponent("Manifest.json"))
    guard
      let json = try JSONSerialization.jsonObject(with: manifest) as? [String: Any],
      let root = json["rootModelIdentifier"] as? String,
      let items = json["itemInfoEntries"] as? [String: [String: Any]],
      let path = items[root]?["path"] as? String
    else { throw DoubleError("\(package.lastPathComponent) has no readable Manifest.json") }
    let model = try Data(contentsOf: package.appendingPathComponent("Data").appendingPathComponent(path))
    for description in try Message([UInt8](model)).messages(2) {
      for feature in try description.messages(1) { try Self.add(feature, to: &inputs) }
      for feature in try description.messages(10) { try Self.add(feature, to: &outputs) }
      for metadata in try description.messages(100) {
        for entry in try metadata.messages(100) { userDefined[entry.text(1)] = entry.text(2) }
      }
    }
    guard !inputs.isEmpty, !outputs.isEmpty else { throw DoubleError("\(package.lastPathComponent) has no interface") }
  }

  private static func add(_ feature: Message, to features: inout [String: MLFeatureDescription]) throws {
    var constraint: MLMultiArrayConstraint?
    for type in try feature.messages(3) {
      for array in try type.messages(5) {
        guard let dataType = MLMultiArrayDataType(rawValue: Int(array.numbers(2).first ?? 0)) else { continue }
        let shape = try array.packed(1).map { NSNumber(value: Int($0)) }
        constraint = MLMultiArrayConstraint(shape: shape, dataType: dataType)
      }
    }
    let name = feature.text(1)
    features[name] = MLFeatureDescription(name: name, multiArrayConstraint: constraint)
  }
}

/// One protocol buffer message: its fields, not interpreted.
private struct Message {
  private var fields: [(number: UInt64, value: Value)] = []
  private enum Value {
    case number(UInt64)
    case bytes([UInt8])
  }

  init(_ bytes: [UInt8]) throws {
    var reader = Reader(bytes: bytes)
    while !reader.isAtEnd {
      let key = try reader.number()
      switch key & 7 {
      case 0: fields.append((key >> 3, .number(try reader.number())))
      case 1: _ = try reader.take(8)
      case 2: fields.append((key >> 3, .bytes(try reader.take(Int(try reader.number())))))
      case 5: _ = try reader.take(4)
      default: throw DoubleError("the model file is not a protocol buffer")
      }
    }
  }

  func bytes(_ number: UInt64) -> [[UInt8]] {
    fields.compactMap {
      if case .bytes(let bytes) = $0.value, $0.number == number { bytes } else { nil }
    }
  }

  func numbers(_ number: UInt64) -> [UInt64] {
    fields.compactMap {
      if case .number(let value) = $0.value, $0.number == number { value } else { nil }
    }
  }

  func messages(_ number: UInt64) throws -> [Message] { try bytes(number).map { try Message($0) } }

  func text(_ number: UInt64) -> String { bytes(number).last.map { String(decoding: $0, as: UTF8.self) } ?? "" }

  func packed(_ number: UInt64) throws -> [UInt64] {
    var all = numbers(number)
    for bytes in bytes(number) {
      var reader = Reader(bytes: bytes)
      while !reader.isAtEnd { all.append(try reader.number()) }
    }
    return all
  }
}

private struct Reader {
  let bytes: [UInt8]
  var at = 0
  var isAtEnd: Bool { at >= bytes.count }

  mutating func number() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard at < bytes.count else { break }
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
    }
    throw DoubleError("the model file ends in a number")
  }

  mutating func take(_ count: Int) throws -> [UInt8] {
    guard count >= 0, count <= bytes.count - at else { throw DoubleError("the model file is cut off") }
    defer { at += count }
    return Array(bytes[at..<at + count])
  }
}
