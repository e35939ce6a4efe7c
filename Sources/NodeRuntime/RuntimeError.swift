/// What a node could not do, as a sentence: what failed, which one, why, what to do.
public struct RuntimeError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
