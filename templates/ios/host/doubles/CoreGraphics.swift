// Named double of Apple's CoreGraphics, written from its documentation (pages in ../doubles.toml). Never shipped.
//
// It holds 8-bit sRGB pixels of four bytes, colours multiplied by alpha, and draws a picture on black, or on nothing, at
// its own size only: no scaling, no colour conversion. It says nothing about either on a device.

@_exported import Foundation

public typealias CFData = Data
public typealias CFDictionary = [CFString: Any]
public typealias CFString = String

public final class CGColorSpace {
  public static let sRGB = "kCGColorSpaceSRGB"
  public init?(name: String) {
    if name != Self.sRGB { return nil }
  }
}

public enum CGImageAlphaInfo: UInt32, Sendable {
  case premultipliedLast = 1
  case noneSkipLast = 5
}

public final class CGImage {
  public let width: Int
  public let height: Int
  let bytes: [UInt8]
  init(width: Int, height: Int, bytes: [UInt8]) {
    self.width = width
    self.height = height
    self.bytes = bytes
  }
}

public final class CGContext {
  private let width: Int
  private let height: Int
  private let hasAlpha: Bool
  private let memory: UnsafeMutableRawPointer

  public init?(
    data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
    space: CGColorSpace, bitmapInfo: UInt32
  ) {
    let isKnown = data == nil && width > 0 && height > 0 && bitsPerComponent == 8 && bytesPerRow == width * 4
    guard isKnown, let alpha = CGImageAlphaInfo(rawValue: bitmapInfo) else { return nil }
    hasAlpha = alpha == .premultipliedLast
    self.width = width
    self.height = height
    memory = .allocate(byteCount: width * height * 4, alignment: 16)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: width * height * 4)
  }

  deinit { memory.deallocate() }

  public var data: UnsafeMutableRawPointer? { memory }

  public func draw(_ image: CGImage, in rect: CGRect) {
    let own = CGRect(x: 0, y: 0, width: width, height: height)
    precondition(rect == own && image.width == width && image.height == height, "this double does not scale")
    memory.copyMemory(from: image.bytes, byteCount: image.bytes.count)
    if !hasAlpha { forgetAlpha() }
  }

  public func makeImage() -> CGImage? {
    if !hasAlpha { forgetAlpha() }
    let bytes = UnsafeRawBufferPointer(start: memory, count: width * height * 4)
    return CGImage(width: width, height: height, bytes: Array(bytes))
  }

  private func forgetAlpha() {
    for at in stride(from: 3, to: width * height * 4, by: 4) {
      memory.storeBytes(of: 255, toByteOffset: at, as: UInt8.self)
    }
  }
}
