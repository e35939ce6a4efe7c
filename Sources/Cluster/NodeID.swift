/// Who a node is: the BLAKE2b-256 of its Ed25519 public key, shortened to its first eight bytes inside
/// gossip.
///
/// Name and address are attributes of a node and may change; the same key is the same node.
public struct NodeID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first eight bytes of the hash, big endian.
    public let short: UInt64

    public init(short: UInt64) { self.short = short }

    public static func < (a: NodeID, b: NodeID) -> Bool { a.short < b.short }

    /// Sixteen hexadecimal digits.
    public var description: String {
        let digits = String(short, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
