/// Classes, best first; equal scores by lower index.
public struct Classification: Sendable, Equatable {
  /// One class.
  public struct Label: Sendable, Equatable {
    /// The class's name, as the model's author wrote it.
    public let label: String
    /// The score in the model's own scale: a probability where the model ends in softmax.
    public let score: Float
    /// The class's position in the model's output.
    public let index: Int

    /// One class with its score.
    public init(label: String, score: Float, index: Int) {
      self.label = label
      self.score = score
      self.index = index
    }
  }

  /// The classes that were asked for, best first.
  public let labels: [Label]

  /// A result of these classes.
  public init(labels: [Label]) {
    self.labels = labels
  }
}

/// Edges in pixels of the original image, inside it.
public struct Box: Sendable, Equatable {
  /// Not larger than ``right``.
  public let left: Float
  /// Not larger than ``bottom``.
  public let top: Float
  /// Not smaller than ``left``.
  public let right: Float
  /// Not smaller than ``top``.
  public let bottom: Float

  /// A box of these edges.
  public init(left: Float, top: Float, right: Float, bottom: Float) {
    self.left = left
    self.top = top
    self.right = right
    self.bottom = bottom
  }
}

/// A place in pixels of the original image; it may lie outside.
public struct Point: Sendable, Equatable {
  /// From the left edge.
  public let x: Float
  /// From the top edge.
  public let y: Float

  /// A place.
  public init(x: Float, y: Float) {
    self.x = x
    self.y = y
  }
}

/// A place in pixels of the original image with its depth.
public struct Point3: Sendable, Equatable {
  /// From the left edge.
  public let x: Float
  /// From the top edge.
  public let y: Float
  /// In the unit of ``x``; 0 where the model gives none.
  public let z: Float

  /// A place.
  public init(x: Float, y: Float, z: Float) {
    self.x = x
    self.y = y
    self.z = z
  }
}

/// One object: its class, score, box and points.
public struct Detection: Sendable, Equatable {
  /// The class's name, as the manifest has it.
  public let label: String
  /// The score in the model's own scale.
  public let score: Float
  /// The class's position among the model's classes.
  public let index: Int
  /// Where the object is.
  public let box: Box
  /// Points of the object, in the model's order; may be empty.
  public let points: [Point]

  /// One object.
  public init(label: String, score: Float, index: Int, box: Box, points: [Point]) {
    self.label = label
    self.score = score
    self.index = index
    self.box = box
    self.points = points
  }
}

/// The objects that were found, best first.
public struct Detections: Sendable, Equatable {
  /// Best first; may be empty.
  public let detections: [Detection]

  /// A result of these objects.
  public init(detections: [Detection]) {
    self.detections = detections
  }
}

/// The points of one object.
public struct Landmarks: Sendable, Equatable {
  /// How sure the model is that the object is there.
  public let score: Float
  /// In the model's order.
  public let points: [Point3]

  /// Points with their score.
  public init(score: Float, points: [Point3]) {
    self.score = score
    self.points = points
  }
}

/// A class for each pixel of the original image.
public struct Mask: Sendable, Equatable {
  /// Width in pixels.
  public let width: Int
  /// Height in pixels.
  public let height: Int
  /// Rows from top to bottom, one byte for a pixel.
  public let classes: [UInt8]
  /// Names of the classes; may be empty.
  public let labels: [String]

  /// A mask of these classes.
  public init(width: Int, height: Int, classes: [UInt8], labels: [String]) {
    self.width = width
    self.height = height
    self.classes = classes
    self.labels = labels
  }
}

/// A vector whose distances mean something.
public struct Embedding: Sendable, Equatable {
  /// In the model's order.
  public let values: [Float]

  /// A vector.
  public init(values: [Float]) {
    self.values = values
  }
}

/// Plain numbers, in C order, with their shape and unit.
public struct Values: Sendable, Equatable {
  /// The numbers.
  public let values: [Float]
  /// The shape that the model gave them.
  public let shape: [Int]
  /// The unit of the numbers; may be empty.
  public let unit: String

  /// Numbers of a shape.
  public init(values: [Float], shape: [Int], unit: String) {
    self.values = values
    self.shape = shape
    self.unit = unit
  }
}
