// Counts of what a node did about work, for metrics, reports and the simulator's figures. Nothing is decided
// by them.

/// What one start of a node counted.
public struct WorkTally: Equatable, Sendable {
    /// Grants that answered its questions.
    public internal(set) var grants = 0
    /// Of these, given by a victim: steals.
    public internal(set) var steals = 0
    /// From running dry to the last grant.
    public internal(set) var lastWait = Span.zero
    /// Whether the last grant was a steal.
    public internal(set) var wasSteal = false
    /// The upper bounds of the groups of waits; a last group has none.
    public static let waitBounds: [Span] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map(Span.milliseconds)
    /// How many waits fell into each group.
    public private(set) var waits = [Int](repeating: 0, count: waitBounds.count + 1)
    /// All waits together.
    public private(set) var waited = Span.zero

    /// Nothing yet.
    public init() {}

    mutating func granted(after wait: Span, byVictim: Bool) {
        grants += 1
        steals += byVictim ? 1 : 0
        (lastWait, wasSteal) = (wait, byVictim)
        waited = waited + wait
        waits[Self.waitBounds.firstIndex { wait <= $0 } ?? Self.waitBounds.count] += 1
    }
}
