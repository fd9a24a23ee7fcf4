// Type-check stub of UIKit, written from Apple's documentation (pages in ../doubles.toml). Never shipped, never run.

@_exported import CoreGraphics

public final class UIImage {
  public enum Orientation: Int, Sendable {
    case up, down, left, right, upMirrored, downMirrored, leftMirrored, rightMirrored
  }
  public init?(data: Data) { return nil }
  public init(cgImage: CGImage) {}
  public var cgImage: CGImage? { nil }
  public var imageOrientation: Orientation { .up }
}
