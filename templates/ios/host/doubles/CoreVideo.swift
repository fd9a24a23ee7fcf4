// Named double of Apple's CoreVideo, written from its documentation (pages in ../doubles.toml). Never shipped.
//
// Pixel buffers of two planes in plain memory, with gaps between the rows. No camera fills them.

@_exported import Foundation

public typealias OSType = UInt32
public typealias CVReturn = Int32
public typealias CVPixelBuffer = CVBuffer

public let kCVReturnSuccess: CVReturn = 0
public let kCVReturnInvalidPixelFormat: CVReturn = -6680
public let kCVReturnInvalidArgument: CVReturn = -6661

public let kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange = code("420v")
public let kCVPixelFormatType_420YpCbCr8BiPlanarFullRange = code("420f")
public let kCVPixelFormatType_32BGRA = code("BGRA")

private func code(_ text: String) -> OSType { text.utf8.reduce(0) { $0 << 8 | OSType($1) } }

public struct CVPixelBufferLockFlags: OptionSet, Sendable {
  public let rawValue: UInt64
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  public static let readOnly = CVPixelBufferLockFlags(rawValue: 1)
}

public final class CVBuffer {
  fileprivate struct Plane {
    let base: UnsafeMutableRawPointer
    let height: Int
    let bytesPerRow: Int
  }
  fileprivate let format: OSType
  fileprivate let width: Int
  fileprivate let height: Int
  fileprivate let planes: [Plane]
  fileprivate var locks: [CVPixelBufferLockFlags] = []

  fileprivate init(format: OSType, width: Int, height: Int) {
    self.format = format
    self.width = width
    self.height = height
    let sizes =
      format == kCVPixelFormatType_32BGRA
      ? [(width * 4, height)] : [(width, height), ((width + 1) / 2 * 2, (height + 1) / 2)]
    planes = sizes.map { row, rows in
      let bytesPerRow = row / 64 * 64 + 64
      let base = UnsafeMutableRawPointer.allocate(byteCount: bytesPerRow * rows, alignment: 64)
      base.initializeMemory(as: UInt8.self, repeating: 0xA5, count: bytesPerRow * rows)
      return Plane(base: base, height: rows, bytesPerRow: bytesPerRow)
    }
  }

  deinit { for plane in planes { plane.base.deallocate() } }

  fileprivate func plane(_ index: Int) -> Plane? {
    planes.count > 1 && planes.indices.contains(index) ? planes[index] : nil
  }
}

public func CVPixelBufferCreate(
  _ allocator: AnyObject?, _ width: Int, _ height: Int, _ pixelFormatType: OSType, _ attributes: [String: Any]?,
  _ pixelBufferOut: UnsafeMutablePointer<CVPixelBuffer?>
) -> CVReturn {
  let known = [
    kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange, kCVPixelFormatType_420YpCbCr8BiPlanarFullRange,
    kCVPixelFormatType_32BGRA,
  ]
  guard known.contains(pixelFormatType) else { return kCVReturnInvalidPixelFormat }
  pixelBufferOut.pointee = CVBuffer(format: pixelFormatType, width: width, height: height)
  return kCVReturnSuccess
}

@discardableResult
public func CVPixelBufferLockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
  buffer.locks.append(flags)
  return kCVReturnSuccess
}

@discardableResult
public func CVPixelBufferUnlockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
  guard buffer.locks.last == flags else { return kCVReturnInvalidArgument }
  buffer.locks.removeLast()
  return kCVReturnSuccess
}

public func CVPixelBufferGetPixelFormatType(_ buffer: CVPixelBuffer) -> OSType { buffer.format }

public func CVPixelBufferGetWidth(_ buffer: CVPixelBuffer) -> Int { buffer.width }

public func CVPixelBufferGetHeight(_ buffer: CVPixelBuffer) -> Int { buffer.height }

public func CVPixelBufferGetHeightOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int {
  buffer.plane(plane)?.height ?? 0
}

public func CVPixelBufferGetBytesPerRowOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int {
  buffer.plane(plane)?.bytesPerRow ?? 0
}

/// Nothing while the buffer is not locked.
public func CVPixelBufferGetBaseAddressOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> UnsafeMutableRawPointer? {
  buffer.locks.isEmpty ? nil : buffer.plane(plane)?.base
}
