// One row of the membership table. It is small because a cluster of a thousand nodes holds a million of them
// in one simulation.

/// Whether a link (a sealed TCP connection) to a member stands.
enum LinkState: UInt8, Equatable, Sendable {
    case none
    case dialling
    /// It stands; the other side made it.
    case accepted
    /// It stands; we made it, so we close it when it is idle.
    case dialled

    var isUp: Bool { self == .accepted || self == .dialled }
}

/// A member as this node sees it.
public struct Member: Equatable, Sendable {
    public let id: NodeID
    /// The newest record that the member signed.
    public internal(set) var record: AliveRecord
    /// The life that `standing` speaks of: at least the record's.
    public internal(set) var version: Version
    /// The start of the record; equal to `record.start`, kept beside the version for quick comparison.
    public internal(set) var start: StartID
    /// When `standing` last changed; moved on by our own suspends, so that it measures our uptime.
    public internal(set) var since: Instant
    public internal(set) var standing: Standing

    /// Datagrams do not reach it but frames do: probe it and gossip to it over the link.
    var prefersLink = false
    var link = LinkState.none
    /// The number of the newest entry about this member in the rumour queue; older entries are void.
    var rumour: UInt32 = 0
    /// When it was last told, unasked, that we hold it dead.
    var shownAt = Instant(nanoseconds: .min / 2)
    /// When it was last sent our record because it believed something older.
    var answeredAt = Instant(nanoseconds: .min / 2)
    /// When the name in its address was last to be looked up anew.
    var lookedUpAt = Instant(nanoseconds: .min / 2)
    /// Rounds for which the rumour about this member is still told.
    var rounds = 0
    /// Last use of the link, to close idle ones.
    var linkUsed = Instant.zero

    init(record: AliveRecord, standing: Standing, version: Version, now: Instant) {
        id = record.id
        self.record = record
        self.version = version
        start = record.start
        since = now
        self.standing = standing
    }
}

/// A change of one member's row, for the view that the shell publishes and for the simulator's checkers.
public struct MemberChange: Equatable, Sendable {
    public let id: NodeID
    public let version: Version
    public let start: StartID
    public let standing: Standing
}
