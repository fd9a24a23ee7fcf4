// Type-check stub of PhotosUI, written from Apple's documentation (pages in ../doubles.toml). Never shipped, never run.

@_exported import Foundation
import SwiftUI

public protocol Transferable {}
extension Data: Transferable {}

public struct PHPickerFilter: Sendable {
  public static let images = PHPickerFilter()
}

public struct PhotosPickerItem: Equatable, Hashable, Sendable {
  public func loadTransferable<T: Transferable & Sendable>(type: T.Type) async throws -> T? { nil }
}

public struct PhotosPicker<Label: View>: View {
  public var body: Never { return fatalError() }
}

extension PhotosPicker where Label == Text {
  public init(_ title: String, selection: Binding<PhotosPickerItem?>, matching filter: PHPickerFilter? = nil) {}
}
