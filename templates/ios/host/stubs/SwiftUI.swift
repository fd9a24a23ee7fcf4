// Type-check stub of SwiftUI, written from Apple's documentation (pages in ../doubles.toml). Never shipped, never run.

@_exported import Foundation
@_exported import FoundationOfApple
import UIKit
import UniformTypeIdentifiers

@MainActor @preconcurrency public protocol View {
  associatedtype Body: View
  @ViewBuilder @MainActor @preconcurrency var body: Body { get }
}

extension Never: View {
  public var body: Never { return fatalError() }
}

/// Stands for every concrete view that a builder or modifier makes.
public struct StubView<Content>: View {
  public var body: Never { return fatalError() }
}

@resultBuilder public enum ViewBuilder {
  public static func buildExpression<Content: View>(_ content: Content) -> Content { content }
  public static func buildBlock<each Content: View>(_ content: repeat each Content) -> StubView<(repeat each Content)> {
    StubView()
  }
  public static func buildIf<Content: View>(_ content: Content?) -> StubView<Content?> { StubView() }
  public static func buildEither<First: View, Second: View>(first: First) -> StubView<(First, Second)> { StubView() }
  public static func buildEither<First: View, Second: View>(second: Second) -> StubView<(First, Second)> { StubView() }
}

public struct Text: View {
  public init(_ content: String) {}
  public var body: Never { return fatalError() }
}

public struct Image: View {
  public init(uiImage: UIImage) {}
  public func resizable() -> Image { self }
  public var body: Never { return fatalError() }
}

public struct Button<Label: View>: View {
  public var body: Never { return fatalError() }
}

extension Button where Label == Text {
  public nonisolated init(_ title: String, action: @escaping @MainActor () -> Void) {}
}

public struct ProgressView<Label: View>: View {
  public var body: Never { return fatalError() }
}

extension ProgressView where Label == Text {
  public init(_ title: String) {}
}

public struct LabeledContent<Label: View, Content: View>: View {
  public var body: Never { return fatalError() }
}

extension LabeledContent where Label == Text, Content == Text {
  public init(_ title: String, value: String) {}
}

public struct NavigationStack<Root: View>: View {
  public init(@ViewBuilder root: () -> Root) {}
  public var body: Never { return fatalError() }
}

public struct List<Content: View>: View {
  public init(@ViewBuilder content: () -> Content) {}
  public var body: Never { return fatalError() }
}

public struct Section<Parent, Content: View>: View {
  public var body: Never { return fatalError() }
}

extension Section where Parent == Text {
  public init(_ title: String, @ViewBuilder content: () -> Content) {}
}

extension Section where Parent == Never {
  public init(@ViewBuilder content: () -> Content) {}
}

public struct ForEach<Data: RandomAccessCollection, ID: Hashable, Content: View>: View {
  public init(_ data: Data, id: KeyPath<Data.Element, ID>, @ViewBuilder content: @escaping (Data.Element) -> Content) {}
  public var body: Never { return fatalError() }
}

@MainActor extension View {
  public func scaledToFit() -> some View { self }
  public func accessibilityLabel(_ label: String) -> some View { self }
  public func navigationTitle(_ title: String) -> some View { self }
  public nonisolated func fileImporter(
    isPresented: Binding<Bool>, allowedContentTypes: [UTType],
    onCompletion: @escaping (Result<URL, any Error>) -> Void
  ) -> some View { self }
  public func task(@_inheritActorContext _ action: sending @escaping @isolated(any) () async -> Void) -> some View {
    self
  }
  public func task<T: Equatable>(
    id: T, @_inheritActorContext _ action: sending @escaping @isolated(any) () async -> Void
  ) -> some View { self }
}

@propertyWrapper public struct State<Value> {
  private let value: Value
  public init(wrappedValue: Value) { value = wrappedValue }
  public var wrappedValue: Value {
    get { value }
    nonmutating set {}
  }
  public var projectedValue: Binding<Value> { Binding(wrappedValue: value) }
}

extension State where Value: ExpressibleByNilLiteral {
  public init() { self.init(wrappedValue: nil) }
}

@propertyWrapper public struct Binding<Value> {
  public var wrappedValue: Value
  public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
}

@MainActor @preconcurrency public protocol Scene {}

@MainActor @preconcurrency public protocol App {
  associatedtype Body: Scene
  @SceneBuilder @MainActor @preconcurrency var body: Body { get }
  @MainActor @preconcurrency init()
}

@resultBuilder public enum SceneBuilder {
  public static func buildBlock<Content: Scene>(_ content: Content) -> Content { content }
}

extension App {
  @MainActor public static func main() {}
}

public struct WindowGroup<Content: View>: Scene {
  public init(@ViewBuilder content: () -> Content) {}
}
