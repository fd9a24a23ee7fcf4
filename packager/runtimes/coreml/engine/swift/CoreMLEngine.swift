import CoreML
import Foundation

/// How Core ML runs the model.
public struct EngineOptions: Sendable {
  /// Processors that Core ML may use. Only `.cpuOnly` gives the same numbers on every device.
  public var computeUnits: MLComputeUnits

  /// Options for these processors.
  public init(computeUnits: MLComputeUnits = .all) {
    self.computeUnits = computeUnits
  }
}

/// Why the model file cannot be opened or run.
public enum EngineError: Error, Equatable, Sendable {
  /// The package holds no model file of this name.
  case modelMissing(name: String)
  /// The model file was built for another contract than the code.
  case otherContract(expected: String, found: String?)
  /// The model file has another interface than the code: feature, what is expected, what it has.
  case otherInterface(feature: String, expected: String, found: String)
  /// Core ML refused the model file or could not compile it; its own words.
  case cannotOpen(String)
  /// Core ML failed to run the model; its own words.
  case cannotRun(String)
}

/// The model file that this code was built with.
struct ModelFile: Sendable {
  /// One input or output: an array of float32 or int32.
  struct Port: Sendable {
    let name: String
    let dataType: MLMultiArrayDataType
    let shape: [Int]
  }

  /// File name without suffix.
  let name: String
  let sha256: String
  let contractHash: String
  let inputs: [Port]
  let outputs: [Port]
}

/// Runs one Core ML model. Not thread-safe: the model's actor owns it.
final class Engine {
  private let model: MLModel
  private let outputs: [ModelFile.Port]
  private let inputs: [MLMultiArray]
  private let features: MLDictionaryFeatureProvider

  private init(model: MLModel, file: ModelFile) throws {
    self.model = model
    outputs = file.outputs
    inputs = try file.inputs.map {
      try MLMultiArray(shape: $0.shape.map { NSNumber(value: $0) }, dataType: $0.dataType)
    }
    let named = zip(file.inputs, inputs).map { ($0.name, MLFeatureValue(multiArray: $1)) }
    features = try MLDictionaryFeatureProvider(dictionary: Dictionary(uniqueKeysWithValues: named))
  }

  /// Opens `<name>.mlmodelc` where the build made one, else compiles `<name>.mlpackage` once and keeps the result
  /// among the app's caches.
  ///
  /// - Parameters:
  ///   - file: The file to look for and what it must hold.
  ///   - resources: Folder of the package's resources.
  ///   - options: How to run it.
  /// - Throws: ``EngineError``.
  static func load(
    _ file: ModelFile, from resources: URL, options: EngineOptions
  ) async throws -> sending Engine {
    do {
      let model = try await open(file, from: resources, options: options)
      try check(model.modelDescription, against: file)
      return try Engine(model: model, file: file)
    } catch let error as EngineError {
      throw error
    } catch {
      throw EngineError.cannotOpen(String(describing: error))
    }
  }

  private static func open(
    _ file: ModelFile, from resources: URL, options: EngineOptions
  ) async throws -> MLModel {
    let manager = FileManager.default
    let configuration = MLModelConfiguration()
    configuration.computeUnits = options.computeUnits
    let built = resources.appending(component: "\(file.name).mlmodelc")
    if manager.fileExists(atPath: built.path(percentEncoded: false)) {
      return try await MLModel.load(contentsOf: built, configuration: configuration)
    }
    let package = resources.appending(component: "\(file.name).mlpackage")
    guard manager.fileExists(atPath: package.path(percentEncoded: false)) else {
      throw EngineError.modelMissing(name: file.name)
    }
    let caches = try manager.url(for: .cachesDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
    let folder = caches.appending(component: file.name)
    let kept = folder.appending(component: "\(file.sha256).mlmodelc")
    if manager.fileExists(atPath: kept.path(percentEncoded: false)) {
      if let model = try? await MLModel.load(contentsOf: kept, configuration: configuration) { return model }
      // What an older system compiled may not load any more.
      try? manager.removeItem(at: kept)
    }
    let compiled = try await MLModel.compileModel(at: package)
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    do {
      try manager.moveItem(at: compiled, to: kept)
    } catch {
      // Another task may have compiled it at the same time.
      guard manager.fileExists(atPath: kept.path(percentEncoded: false)) else { throw error }
      try? manager.removeItem(at: compiled)
    }
    return try await MLModel.load(contentsOf: kept, configuration: configuration)
  }

  private static func check(_ description: MLModelDescription, against file: ModelFile) throws(EngineError) {
    let metadata = description.metadata[.creatorDefinedKey] as? [String: String]
    let found = metadata?["packager.contract"]
    guard found == file.contractHash else {
      throw .otherContract(expected: file.contractHash, found: found)
    }
    for port in file.inputs { try check(port, description.inputDescriptionsByName[port.name]) }
    for port in file.outputs { try check(port, description.outputDescriptionsByName[port.name]) }
  }

  private static func check(_ port: ModelFile.Port, _ feature: MLFeatureDescription?) throws(EngineError) {
    let expected = "\(name(of: port.dataType)) \(port.shape)"
    guard let array = feature?.multiArrayConstraint else {
      throw .otherInterface(feature: port.name, expected: expected, found: "none")
    }
    let shape = array.shape.map(\.intValue)
    // Core ML may leave the shape of an output open.
    guard array.dataType == port.dataType, shape == port.shape || shape.isEmpty else {
      let found = "\(name(of: array.dataType)) \(shape)"
      throw .otherInterface(feature: port.name, expected: expected, found: found)
    }
  }

  private static func name(of dataType: MLMultiArrayDataType) -> String {
    switch dataType {
    case .float32: "float32"
    case .int32: "int32"
    default: "data type \(dataType.rawValue)"
    }
  }

  /// Copies the values of one input, which are of the port's type; they stay until the next call.
  func setInput<Scalar: MLShapedArrayScalar>(
    _ index: Int, to values: UnsafeBufferPointer<Scalar>
  ) throws(ContractError) {
    let array = inputs[index]
    precondition(array.dataType == Scalar.multiArrayDataType, "input \(index) takes other numbers")
    guard values.count == array.count else {
      throw .wrongSize(expected: array.count, actual: values.count)
    }
    array.withUnsafeMutableBytes { bytes, _ in bytes.copyMemory(from: UnsafeRawBufferPointer(values)) }
  }

  /// Runs the model on the inputs that were set.
  func run() throws(EngineError) -> Outputs {
    let result: any MLFeatureProvider
    do {
      result = try model.prediction(from: features)
    } catch {
      throw .cannotRun(String(describing: error))
    }
    var arrays: [MLMultiArray] = []
    for port in outputs {
      guard let array = result.featureValue(for: port.name)?.multiArrayValue else {
        throw .cannotRun("no output \(port.name)")
      }
      arrays.append(array)
    }
    return Outputs(arrays: arrays)
  }
}

/// What the model gave in one run, in the order of its ports.
struct Outputs {
  fileprivate let arrays: [MLMultiArray]

  /// The values of one output in C order; `type` is the port's.
  func values<Scalar: MLShapedArrayScalar>(_ index: Int, as type: Scalar.Type) -> [Scalar] {
    MLShapedArray<Scalar>(converting: arrays[index]).scalars
  }
}
