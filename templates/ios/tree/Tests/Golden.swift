import Foundation
import Testing

/// One line of `Golden/index.txt`: what a stage gave for a sample where the model was checked.
struct Golden: Sendable {
  let sample: String
  let stage: String
  let name: String
  let shape: [Int]
  let file: String
  let absolute: Float
  let relative: Float
  /// Stage result: what follows the tolerances.
  let rest: [String]

  static let folder = (Bundle.module.resourceURL ?? Bundle.module.bundleURL).appending(component: "Golden")

  static let all: [Golden] = {
    let text = try? String(contentsOf: folder.appending(component: "index.txt"), encoding: .utf8)
    return (text ?? "").split(separator: "\n").compactMap { Golden(line: $0) }
  }()

  static let samples: [String] = all.filter { $0.stage == "decode" }.map(\.sample)
    .reduce(into: []) { if !$0.contains($1) { $0.append($1) } }

  static func find(_ sample: String, _ stage: String, _ name: String) throws -> Golden {
    try #require(
      all.first { $0.sample == sample && $0.stage == stage && $0.name == name },
      "no golden vector of stage \(stage) for \(sample)")
  }

  private init?(line: Substring) {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map { Golden.unescaped($0) }
    guard fields.count >= 8, let absolute = Float(fields[6]), let relative = Float(fields[7]) else { return nil }
    sample = fields[0]
    stage = fields[1]
    name = fields[2]
    shape = fields[4].split(separator: "x").compactMap { Int($0) }
    file = fields[5]
    self.absolute = absolute
    self.relative = relative
    rest = Array(fields[8...])
  }

  /// `\t`, `\n` and `\\` are written as in C.
  private static func unescaped(_ field: Substring) -> String {
    var result = ""
    var isEscaped = false
    for scalar in field.unicodeScalars {
      if isEscaped {
        result.unicodeScalars.append(scalar == "t" ? "\t" : scalar == "n" ? "\n" : scalar)
        isEscaped = false
      } else if scalar == "\\" {
        isEscaped = true
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A number among what follows the tolerances; not a number where there is none.
  func number(_ index: Int) -> Float {
    rest.indices.contains(index) ? Float(rest[index]) ?? .nan : .nan
  }

  func bytes() throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Golden.folder.appending(component: file)))
  }

  /// Little-endian float32 numbers.
  func floats() throws -> [Float] {
    try words().map { Float(bitPattern: $0) }
  }

  /// Little-endian 32-bit integers.
  func ints() throws -> [Int32] {
    try words().map { Int32(bitPattern: $0) }
  }

  private func words() throws -> [UInt32] {
    let bytes = try bytes()
    return stride(from: 0, to: bytes.count, by: 4).map { at in
      (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
    }
  }

  /// Little-endian 16-bit integers.
  func shorts() throws -> [Int16] {
    let bytes = try bytes()
    return stride(from: 0, to: bytes.count, by: 2).map { at in
      Int16(bitPattern: UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8)
    }
  }

  /// Whether a number is as near as the stage asks for.
  func allows(_ got: Float, for expected: Float) -> Bool {
    abs(got - expected) <= absolute + relative * abs(expected)
  }

  /// What is wrong with an array that must be equal to the bit; empty if nothing.
  func difference(equal got: UnsafeBufferPointer<Float>) throws -> String {
    difference(Array(got), try floats()) { $0.bitPattern == $1.bitPattern }
  }

  /// What is wrong with an array of integers that must be equal; empty if nothing.
  func difference(equal got: UnsafeBufferPointer<Int32>) throws -> String {
    difference(Array(got), try ints(), ==)
  }

  /// What is wrong with an array that must be near; empty if nothing.
  func difference(near got: [Float]) throws -> String {
    difference(got, try floats()) { allows($0, for: $1) }
  }

  /// What is wrong with an array of integers that must be near; empty if nothing.
  func difference(near got: [Int32]) throws -> String {
    difference(got, try ints()) { allows(Float($0), for: Float($1)) }
  }

  private func difference<Number>(
    _ got: [Number], _ expected: [Number], _ isRight: (Number, Number) -> Bool
  ) -> String {
    guard got.count == expected.count else { return "\(got.count) values, expected \(expected.count)" }
    let wrong = expected.indices.filter { !isRight(got[$0], expected[$0]) }
    guard let first = wrong.first else { return "" }
    return "\(wrong.count) of \(got.count) values differ, first at \(first): \(got[first]), expected \(expected[first])"
  }

  /// Prints the check for a machine, and fails the test where there is a problem.
  func report(_ problem: String, sourceLocation: SourceLocation = #_sourceLocation) {
    print("packager-golden\t\(sample)\t\(stage)\t\(problem.isEmpty ? "passed" : "failed")\t\(name) \(problem)")
    if !problem.isEmpty {
      Issue.record("stage \(stage), sample \(sample), \(name): \(problem)", sourceLocation: sourceLocation)
    }
  }
}
