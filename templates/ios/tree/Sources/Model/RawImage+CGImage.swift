#if canImport(CoreGraphics) && canImport(ImageIO)
  import CoreGraphics
  import ImageIO

  extension RawImage {
    /// Pixels of an opaque picture, turned upright and converted to 8-bit sRGB.
    ///
    /// - Parameters:
    ///   - image: An opaque picture in any colour space.
    ///   - orientation: How its pixels lie, as the file's EXIF data or `UIImage.imageOrientation` says.
    /// - Throws: ``ContractError``, also where a pixel is transparent: what lies behind it is not for this code to say.
    public init(_ image: CGImage, orientation: CGImagePropertyOrientation = .up) throws(ContractError) {
      let width = image.width
      let height = image.height
      guard width >= 1, height >= 1 else { throw .emptyImage }
      guard
        let space = CGColorSpace(name: CGColorSpace.sRGB),
        let context = CGContext(
          data: nil, width: width, height: height, bitsPerComponent: 8, bytesPerRow: width * 4, space: space,
          bitmapInfo: CGImageAlphaInfo.premultipliedLast.rawValue)
      else { throw .unreadableImage }
      context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
      guard let data = context.data else { throw .unreadableImage }
      let walk = Walk(orientation, width: width, height: height)
      let drawn = data.assumingMemoryBound(to: UInt8.self)
      let count = width * height * 3
      var alpha: UInt8 = 255
      let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
        var next = 0
        for y in 0..<walk.height {
          var from = (walk.first + y * walk.down) * 4
          for _ in 0..<walk.width {
            buffer[next] = drawn[from]
            buffer[next + 1] = drawn[from + 1]
            buffer[next + 2] = drawn[from + 2]
            alpha &= drawn[from + 3]
            next += 3
            from += walk.right * 4
          }
        }
        used = count
      }
      guard alpha == 255 else { throw .transparentImage }
      try self.init(pixels: pixels, width: walk.width, height: walk.height)
    }
  }

  /// Where the upright picture's pixels lie in the stored one: index of the first, and steps to the right and down.
  private struct Walk {
    let width: Int
    let height: Int
    let first: Int
    let right: Int
    let down: Int

    init(_ orientation: CGImagePropertyOrientation, width w: Int, height h: Int) {
      let isTurned: Bool
      switch orientation {
      case .upMirrored: (isTurned, first, right, down) = (false, w - 1, -1, w)
      case .down: (isTurned, first, right, down) = (false, w * h - 1, -1, -w)
      case .downMirrored: (isTurned, first, right, down) = (false, w * (h - 1), 1, -w)
      case .leftMirrored: (isTurned, first, right, down) = (true, 0, w, 1)
      case .right: (isTurned, first, right, down) = (true, w * (h - 1), -w, 1)
      case .rightMirrored: (isTurned, first, right, down) = (true, w * h - 1, -w, -1)
      case .left: (isTurned, first, right, down) = (true, w - 1, w, -1)
      default: (isTurned, first, right, down) = (false, 0, 1, w)
      }
      width = isTurned ? h : w
      height = isTurned ? w : h
    }
  }
#endif
