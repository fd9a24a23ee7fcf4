// Type-check stub of UniformTypeIdentifiers, written from Apple's documentation (pages in ../doubles.toml). Never
// shipped, never run.

public struct UTType: Sendable {
  public static let data = UTType()
}
