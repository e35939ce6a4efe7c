/// One start of one process: 64 random bits, drawn anew at every start (PROTOCOL section 1).
///
/// Two processes with one key are told apart by it: a restored snapshot, a cloned machine, a quick restart.
public struct StartID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let bits: UInt64

    public init(bits: UInt64) { self.bits = bits }

    public static func < (a: StartID, b: StartID) -> Bool { a.bits < b.bits }

    /// Hexadecimal digits, without leading zeros.
    public var description: String { String(bits, radix: 16) }
}
