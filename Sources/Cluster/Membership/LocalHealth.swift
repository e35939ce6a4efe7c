/// How much this node trusts its own judgement: 0 is healthy, and every probe time is scaled by one more than
/// the score.
///
/// Lifeguard section IV-A: a node whose probes fail while its relays stay silent too is more likely slow
/// itself than surrounded by dead members.
public struct LocalHealth: Equatable, Sendable {
    public private(set) var score = 0
    public let worst: Int

    public init(worst: Int) { self.worst = worst }

    /// What every probe time is multiplied by.
    public var scale: Int { score + 1 }

    /// A probe was answered.
    public mutating func probeAnswered() { score = max(0, score - 1) }

    /// A probe failed. Relays that said `nack` show that our own network works; each silent one counts
    /// against us.
    public mutating func probeFailed(silentRelays: Int) { score = min(worst, score + silentRelays) }

    /// Others suspected us.
    public mutating func refuted() { score = min(worst, score + 1) }

    /// A step came late.
    public mutating func stalled() { score = min(worst, score + 1) }
}
