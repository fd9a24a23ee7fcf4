#if canImport(CoreVideo)
  import CoreVideo

  extension Frame {
    /// Copies a camera's pixel buffer of 8-bit YUV 4:2:0 in two planes (`420v` or `420f`). What range and matrix its
    /// numbers have, the contract says, not the buffer.
    ///
    /// - Parameters:
    ///   - pixelBuffer: Of type `kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange` or `...FullRange`.
    ///   - rotation: Degrees by which it is turned clockwise to stand upright: 0, 90, 180 or 270.
    /// - Throws: ``ContractError`` for another pixel format or rotation, or a buffer that cannot be read.
    public init(pixelBuffer: CVPixelBuffer, rotation: Int = 0) throws(ContractError) {
      let format = CVPixelBufferGetPixelFormatType(pixelBuffer)
      guard
        format == kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange
          || format == kCVPixelFormatType_420YpCbCr8BiPlanarFullRange
      else { throw .wrongPixelFormat(code: format) }
      guard CVPixelBufferLockBaseAddress(pixelBuffer, .readOnly) == kCVReturnSuccess else { throw .unreadableImage }
      defer { CVPixelBufferUnlockBaseAddress(pixelBuffer, .readOnly) }
      let width = CVPixelBufferGetWidth(pixelBuffer)
      let height = CVPixelBufferGetHeight(pixelBuffer)
      let across = (width + 1) / 2
      let down = (height + 1) / 2
      let luma = try Self.values(of: pixelBuffer, plane: 0, first: 0, every: 1, width: width, height: height)
      let blue = try Self.values(of: pixelBuffer, plane: 1, first: 0, every: 2, width: across, height: down)
      let red = try Self.values(of: pixelBuffer, plane: 1, first: 1, every: 2, width: across, height: down)
      try self.init(
        y: luma, u: blue, v: red, width: width, height: height, yStride: width, uvStride: across, uvStep: 1,
        rotation: rotation)
    }

    /// One of `every` values that stand side by side in a locked plane, without what lies between the rows.
    private static func values(
      of pixelBuffer: CVPixelBuffer, plane: Int, first: Int, every: Int, width: Int, height: Int
    ) throws(ContractError) -> [UInt8] {
      let bytesPerRow = CVPixelBufferGetBytesPerRowOfPlane(pixelBuffer, plane)
      guard
        let base = CVPixelBufferGetBaseAddressOfPlane(pixelBuffer, plane)?.assumingMemoryBound(to: UInt8.self),
        bytesPerRow >= width * every,
        CVPixelBufferGetHeightOfPlane(pixelBuffer, plane) >= height
      else { throw .unreadableImage }
      return [UInt8](unsafeUninitializedCapacity: width * height) { buffer, used in
        var next = 0
        for row in 0..<height {
          let source = base + row * bytesPerRow + first
          for column in 0..<width {
            buffer[next] = source[column * every]
            next += 1
          }
        }
        used = next
      }
    }
  }
#endif
