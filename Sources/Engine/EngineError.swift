/// A job that cannot start or go on, as a sentence: what failed, why, what to do.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
