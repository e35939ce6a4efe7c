/// A source that gives no scene, as a sentence: which one, why, what to do.
public struct SceneError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
