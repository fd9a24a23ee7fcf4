// Named double of Apple's ImageIO, written from its documentation (pages in ../doubles.toml). Never shipped.

@_exported import CoreGraphics

public enum CGImagePropertyOrientation: UInt32, Sendable {
  case up = 1, upMirrored, down, downMirrored, leftMirrored, right, rightMirrored, left
}
