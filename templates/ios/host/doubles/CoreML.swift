// Named double of Apple's Core ML, written from its documentation (pages in ../doubles.toml). Never shipped.
//
// It reads interface and metadata from the real `.mlpackage` and runs real inference, in ONNX Runtime, on the ONNX
// twin that the environment names. It is stricter than Apple's where that finds faults: classes are not Sendable,
// unknown features and wrong shapes are errors, and only a compiled model can be loaded.

@_exported import Foundation
import Twin

public enum MLComputeUnits: Int, Sendable { case cpuOnly, cpuAndGPU, all, cpuAndNeuralEngine }

public enum MLMultiArrayDataType: Int, Sendable {
  case double = 65600
  case float32 = 65568
  case float16 = 65552
  case int32 = 131104
}

public struct MLModelMetadataKey: Hashable, Sendable, RawRepresentable {
  public let rawValue: String
  public init(rawValue: String) { self.rawValue = rawValue }
  public static let creatorDefinedKey = MLModelMetadataKey(rawValue: "MLModelCreatorDefinedKey")
}

/// What the double itself reports; Apple's errors are other ones.
struct DoubleError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = "Core ML double: \(description)" }
}

public class MLModelConfiguration {
  public var computeUnits: MLComputeUnits = .all
  public init() {}
}

public class MLMultiArray {
  public let shape: [NSNumber]
  public let dataType: MLMultiArrayDataType
  public let count: Int
  /// Bit patterns of the numbers, which have 32 bits in both types.
  var words: [UInt32]

  public init(shape: [NSNumber], dataType: MLMultiArrayDataType) throws {
    self.shape = shape
    self.dataType = dataType
    count = shape.reduce(1) { $0 * $1.intValue }
    words = Array(repeating: try Self.unwritten(dataType), count: count)
  }

  /// Apple leaves new arrays uninitialised: what is not written must be seen.
  private static func unwritten(_ dataType: MLMultiArrayDataType) throws -> UInt32 {
    switch dataType {
    case .float32: Float.nan.bitPattern
    case .int32: UInt32(bitPattern: .min)
    case .double, .float16: throw DoubleError("only arrays of float32 and int32")
    }
  }

  /// Whether every number was written. Not-a-number and the least integer are nothing that a contract gives.
  var isWritten: Bool {
    switch dataType {
    case .float32: words.allSatisfy { !Float(bitPattern: $0).isNaN }
    default: words.allSatisfy { Int32(bitPattern: $0) != .min }
    }
  }

  public func withUnsafeMutableBytes<R>(
    _ body: (UnsafeMutableRawBufferPointer, [Int]) throws -> R
  ) rethrows -> R {
    var strides = [Int](repeating: 1, count: shape.count)
    for axis in strides.indices.dropLast().reversed() { strides[axis] = strides[axis + 1] * shape[axis + 1].intValue }
    return try words.withUnsafeMutableBytes { try body($0, strides) }
  }
}

public protocol MLShapedArrayScalar {
  static var multiArrayDataType: MLMultiArrayDataType { get }
}

extension Float: MLShapedArrayScalar {
  public static var multiArrayDataType: MLMultiArrayDataType { .float32 }
}

extension Int32: MLShapedArrayScalar {
  public static var multiArrayDataType: MLMultiArrayDataType { .int32 }
}

public struct MLShapedArray<Scalar: MLShapedArrayScalar> {
  public let scalars: [Scalar]

  /// Apple converts between types; here another type than the array's is an error.
  public init(converting multiArray: MLMultiArray) {
    precondition(multiArray.dataType == Scalar.multiArrayDataType, "Core ML double: an array read as another type")
    scalars = multiArray.words.withUnsafeBytes { Array($0.bindMemory(to: Scalar.self)) }
  }
}

public class MLFeatureValue {
  public let multiArrayValue: MLMultiArray?
  public init(multiArray value: MLMultiArray) { multiArrayValue = value }
}

public protocol MLFeatureProvider {
  var featureNames: Set<String> { get }
  func featureValue(for featureName: String) -> MLFeatureValue?
}

public class MLDictionaryFeatureProvider: MLFeatureProvider {
  let values: [String: MLFeatureValue]

  public init(dictionary: [String: Any]) throws {
    values = try dictionary.mapValues {
      guard let value = $0 as? MLFeatureValue else { throw DoubleError("only MLFeatureValue in a dictionary") }
      return value
    }
  }

  public var featureNames: Set<String> { Set(values.keys) }
  public func featureValue(for featureName: String) -> MLFeatureValue? { values[featureName] }
}

public class MLMultiArrayConstraint {
  public let shape: [NSNumber]
  public let dataType: MLMultiArrayDataType
  init(shape: [NSNumber], dataType: MLMultiArrayDataType) {
    self.shape = shape
    self.dataType = dataType
  }
}

public class MLFeatureDescription {
  public let name: String
  public let multiArrayConstraint: MLMultiArrayConstraint?
  init(name: String, multiArrayConstraint: MLMultiArrayConstraint?) {
    self.name = name
    self.multiArrayConstraint = multiArrayConstraint
  }
}

public class MLModelDescription {
  public let inputDescriptionsByName: [String: MLFeatureDescription]
  public let outputDescriptionsByName: [String: MLFeatureDescription]
  public let metadata: [MLModelMetadataKey: Any]
  init(_ specification: Specification) {
    inputDescriptionsByName = specification.inputs
    outputDescriptionsByName = specification.outputs
    metadata = [.creatorDefinedKey: specification.userDefined]
  }
}

public class MLModel {
  public let modelDescription: MLModelDescription
  private let twin: TwinModel

  private init(_ specification: Specification, _ twin: TwinModel) {
    modelDescription = MLModelDescription(specification)
    self.twin = twin
  }

  public class func load(
    contentsOf url: URL, configuration: MLModelConfiguration = MLModelConfiguration()
  ) async throws -> MLModel {
    guard url.pathExtension == "mlmodelc" else { throw DoubleError("\(url.lastPathComponent) is not compiled") }
    let specification = try Specification(package: url)
    return MLModel(specification, try TwinModel(specification))
  }

  public class func compileModel(at modelURL: URL) async throws -> URL {
    _ = try Specification(package: modelURL)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let name = modelURL.deletingPathExtension().lastPathComponent
    let compiled = folder.appendingPathComponent("\(name).mlmodelc")
    try FileManager.default.copyItem(at: modelURL, to: compiled)
    return compiled
  }

  public func prediction(from input: any MLFeatureProvider) throws -> any MLFeatureProvider {
    var arrays: [String: MLMultiArray] = [:]
    for (name, feature) in modelDescription.inputDescriptionsByName {
      guard let array = input.featureValue(for: name)?.multiArrayValue else { throw DoubleError("no input \(name)") }
      let expected = feature.multiArrayConstraint
      guard array.shape == expected?.shape else { throw DoubleError("\(name): shape \(array.shape)") }
      guard array.dataType == expected?.dataType else { throw DoubleError("\(name): data type \(array.dataType)") }
      guard array.isWritten else { throw DoubleError("\(name) holds unwritten numbers") }
      arrays[name] = array
    }
    return try MLDictionaryFeatureProvider(dictionary: twin.run(arrays, modelDescription.outputDescriptionsByName))
  }
}
