/// Something about a raster or an output that ends in a sentence for the user: what failed, which one, what
/// to do.
public struct RasterError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}
