// Type-check stub of what the open source Foundation lacks, written from Apple's documentation (pages in
// ../doubles.toml). Never shipped, never run.

@_exported import Foundation

extension URL {
  public func startAccessingSecurityScopedResource() -> Bool { false }
  public func stopAccessingSecurityScopedResource() {}
}
