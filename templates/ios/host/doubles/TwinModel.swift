import Foundation
import Twin

/// The ONNX twin of a Core ML model: same source, same interface.
///
/// `PACKAGER_COREML_TWIN` names a text file: `model<TAB>path of the ONNX file`, then one line for each feature,
/// `feature<TAB>Core ML name<TAB>ONNX name`.
final class TwinModel {
  private let session: OpaquePointer
  private var names: [String: String] = [:]

  init(_ specification: Specification) throws {
    guard let table = ProcessInfo.processInfo.environment["PACKAGER_COREML_TWIN"] else {
      throw DoubleError("PACKAGER_COREML_TWIN is not set")
    }
    var path = ""
    for line in try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      if fields.count == 2, fields[0] == "model" { path = fields[1] }
      if fields.count == 3, fields[0] == "feature" { names[fields[1]] = fields[2] }
    }
    for feature in specification.inputs.keys where names[feature] == nil {
      throw DoubleError("the twin has no \(feature)")
    }
    var problem = [CChar](repeating: 0, count: 512)
    guard let session = twin_open(path, &problem, problem.count) else {
      throw DoubleError("\(path): \(text(problem))")
    }
    self.session = session
  }

  deinit { twin_close(session) }

  func run(
    _ inputs: [String: MLMultiArray], _ outputs: [String: MLFeatureDescription]
  ) throws -> [String: MLFeatureValue] {
    var problem = [CChar](repeating: 0, count: 512)
    func check(_ code: Int32) throws {
      if code != 0 { throw DoubleError(text(problem)) }
    }
    twin_begin(session)
    for (name, array) in inputs {
      let shape = array.shape.map { Int64($0.intValue) }
      let code = twin_input(
        session, names[name] ?? name, try type(array.dataType), array.words, shape, shape.count, &problem, problem.count)
      try check(code)
    }
    for name in outputs.keys { try check(twin_output(session, names[name] ?? name, &problem, problem.count)) }
    try check(twin_run(session, &problem, problem.count))
    var results: [String: MLFeatureValue] = [:]
    for (index, (name, feature)) in outputs.enumerated() {
      guard let dataType = feature.multiArrayConstraint?.dataType else { throw DoubleError("\(name) is no array") }
      var shape = [Int64](repeating: 0, count: 8)
      let rank = twin_shape(session, index, try type(dataType), &shape, shape.count)
      guard rank >= 0 else { throw DoubleError("the twin's \(name) is no \(dataType) array of at most 8 axes") }
      let array = try MLMultiArray(shape: shape[..<Int(rank)].map { NSNumber(value: $0) }, dataType: dataType)
      guard twin_values(session, index, &array.words, array.count) == 0 else { throw DoubleError("no values of \(name)") }
      results[name] = MLFeatureValue(multiArray: array)
    }
    return results
  }
}

/// The twin's word for a type of numbers.
private func type(_ dataType: MLMultiArrayDataType) throws -> twin_type {
  switch dataType {
  case .float32: TWIN_FLOAT32
  case .int32: TWIN_INT32
  case .double, .float16: throw DoubleError("the twin has no \(dataType)")
  }
}

/// A C string.
private func text(_ characters: [CChar]) -> String {
  String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
