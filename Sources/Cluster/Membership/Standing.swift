// How two statements about one member are ordered: first by the life they speak of, then by what they say of
// it.

/// Which life of a node a statement speaks of: (epoch, incarnation), compared in that order (PROTOCOL section
/// 1).
public struct Version: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Starts of the node, on its disk before its first packet.
    public let epoch: UInt32
    /// Refutations inside the epoch.
    public let incarnation: UInt32

    /// A statement above this bound is absurd and dropped, so that a hostile peer cannot make the counters
    /// overflow.
    public static let highest: UInt32 = 1 << 30

    public init(epoch: UInt32, incarnation: UInt32) {
        self.epoch = epoch
        self.incarnation = incarnation
    }

    /// Both counters in one word that compares as the pair does.
    public var bits: UInt64 { UInt64(epoch) << 32 | UInt64(incarnation) }

    /// Whether both counters are within bounds.
    public var isPlausible: Bool { epoch <= Version.highest && incarnation <= Version.highest }

    public static func < (a: Version, b: Version) -> Bool { a.bits < b.bits }

    /// `epoch.incarnation`, as the log and the traces print it.
    public var description: String { "\(epoch).\(incarnation)" }
}

/// What is believed of a member, in the order in which one belief overrides another at equal `Version`
/// (PROTOCOL section 1; SWIM section 4.2, with `left` above `dead`).
public enum Standing: UInt8, Comparable, Sendable, CaseIterable {
    case alive
    /// A soft doubt: no new work goes to it, copies of its work are allowed.
    case suspect
    case dead
    /// Decommissioned by its operator: never redialled.
    case left

    /// Alive or suspect: it is probed, gossiped to, and counted as part of the cluster.
    public var isPresent: Bool { self <= .suspect }

    public static func < (a: Standing, b: Standing) -> Bool { a.rawValue < b.rawValue }
}
