// Nothing is given up. A seed that does not answer, a peer remembered from before the restart, a member that
// died: each may be the only bridge to the rest of the cluster, so each is dialled again and again, for ever,
// a few at a time.

/// Whom to dial: a member, or an address of which the node is not known.
public enum DialTarget: Hashable, Sendable {
    case member(NodeID, Address)
    case seed(Address)

    /// Where to dial.
    public var address: Address {
        switch self {
        case .member(_, let address), .seed(let address): address
        }
    }
}

/// Decides whom to dial next among those that are missing (PROTOCOL section 2, reconnect).
public struct Reconnector: Sendable {
    struct Wanted: Equatable, Sendable {
        var target: DialTarget
        /// The member that a seed turned out to be.
        var knownAs: NodeID?
        var lastTried: Instant
        var interval: Span
        var due: Instant
        var dialling = false
        var tries = 0
    }

    private(set) var wanted: [Wanted] = []
    private var dialling = 0
    private let first: Span
    private let last: Span
    private let atOnce: Int
    private let fault: DeliberateFault?
    /// When `timer` has something to do.
    public private(set) var nextDeadline = Instant.never

    public init(_ configuration: Configuration) {
        first = configuration.reconnectFirst
        last = configuration.reconnectLast
        atOnce = configuration.reconnectAtOnce
        fault = configuration.fault
    }

    /// Whether every seed was tried once: a node is ready only then (PROTOCOL section 3).
    public var hasTriedAllSeeds: Bool {
        wanted.allSatisfy {
            if case .seed = $0.target { return $0.tries > 0 }
            return true
        }
    }

    /// Adds a target, due after a jittered wait (`urgently`: at once).
    public mutating func want(
        _ target: DialTarget, urgently: Bool, at now: Instant, _ generator: inout SeededGenerator
    ) {
        if case .member(let id, _) = target {
            if fault == .deadForgottenAtOnce { return }
            if let at = index(of: id) {
                wanted[at].target = target
                return
            }
        } else if wanted.contains(where: { $0.target == target }) {
            return
        }
        let wait = urgently ? Span.zero : generator.span(from: first * 0.5, to: first)
        wanted.append(
            Wanted(target: target, lastTried: Instant(nanoseconds: .min), interval: first, due: now + wait))
        refreshDeadline()
    }

    /// A member is back, or has left for good: it is not dialled any more. Seeds stay.
    public mutating func release(_ id: NodeID) {
        guard let at = index(of: id) else { return }
        remove(at)
        refreshDeadline()
    }

    /// A dial did not lead to a link.
    public mutating func failed(_ target: DialTarget, at now: Instant, _ generator: inout SeededGenerator) {
        guard let at = wanted.firstIndex(where: { $0.target == target && $0.dialling }) else { return }
        dialling -= 1
        wanted[at].dialling = false
        if fault == .seedsTriedOnce {
            wanted[at].due = .never
        } else {
            wanted[at].due = now + generator.span(from: wanted[at].interval * 0.5, to: wanted[at].interval)
            wanted[at].interval = min(wanted[at].interval * 2, last)
        }
        refreshDeadline()
    }

    /// A dial led to `peer`. A seed is looked at again later, in case that member dies.
    public mutating func connected(_ target: DialTarget, to peer: NodeID, at now: Instant) {
        guard let at = wanted.firstIndex(where: { $0.target == target && $0.dialling }) else { return }
        dialling -= 1
        wanted[at].dialling = false
        wanted[at].knownAs = peer
        wanted[at].interval = first
        wanted[at].due = now + last
        refreshDeadline()
    }

    /// The address is our own: it is never dialled again.
    public mutating func isOurselves(_ target: DialTarget) {
        guard let at = wanted.firstIndex(where: { $0.target == target }) else { return }
        remove(at)
        refreshDeadline()
    }

    /// The targets to dial now, the longest untried first. `isPresent` says whether a member is alive or
    /// suspect: a seed that turned out to be such a member waits.
    public mutating func timer(_ now: Instant, isPresent: (NodeID) -> Bool) -> [DialTarget] {
        guard now >= nextDeadline else { return [] }
        for at in wanted.indices where wanted[at].due <= now && !wanted[at].dialling {
            if let id = wanted[at].knownAs, isPresent(id) { wanted[at].due = now + last }
        }
        let due = wanted.indices.filter { wanted[$0].due <= now && !wanted[$0].dialling }
            .sorted { (wanted[$0].lastTried, $0) < (wanted[$1].lastTried, $1) }
        let chosen = due.prefix(max(0, atOnce - dialling))
        for at in chosen {
            wanted[at].dialling = true
            wanted[at].lastTried = now
            wanted[at].tries += 1
            dialling += 1
        }
        refreshDeadline()
        return chosen.map { wanted[$0].target }
    }

    private func index(of id: NodeID) -> Int? {
        wanted.firstIndex {
            if case .member(id, _) = $0.target { return true }
            return false
        }
    }

    private mutating func remove(_ at: Int) {
        if wanted[at].dialling { dialling -= 1 }
        wanted.remove(at: at)
    }

    /// With all places taken, the next result of a dial comes before any deadline.
    private mutating func refreshDeadline() {
        nextDeadline = .never
        guard dialling < atOnce else { return }
        for one in wanted where !one.dialling { nextDeadline = min(nextDeadline, one.due) }
    }
}
