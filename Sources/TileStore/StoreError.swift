/// A failure of the store's disk, as a sentence: what failed, which file, what to do.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
