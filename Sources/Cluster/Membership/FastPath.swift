// A killed process leaves a trace that a silent host does not: its kernel ends its links and refuses new
// ones. Seen from two places that is nearly proof, and the ordinary five seconds of doubt shrink to one.

/// Follows links that ended without a goodbye (PROTOCOL section 2, fast path).
public struct FastPath: Equatable, Sendable {
    /// What the shell does next.
    public enum Action: Equatable, Sendable {
        case redial(NodeID)
        case askWitnesses(NodeID, UInt64)
        /// Refused here, and by a witness if there is one.
        case suspect(NodeID)
    }

    /// A trail goes redialling → waiting for witnesses → gone.
    enum Trail: Equatable, Sendable {
        case redialling(NodeID)
        case asking(NodeID, UInt64, until: Instant)

        var subject: NodeID {
            switch self {
            case .redialling(let id), .asking(let id, _, _): id
            }
        }
    }

    private(set) var trails: [Trail] = []
    private let patience: Span
    /// When `timer` has something to do.
    public private(set) var nextDeadline = Instant.never

    public init(_ configuration: Configuration) { patience = configuration.witnessSpan }

    /// A link that once stood broke. A refusal without such a link proves nothing and never comes here.
    public mutating func linkBroke(_ peer: NodeID) -> [Action] {
        guard !trails.contains(where: { $0.subject == peer }) else { return [] }
        trails.append(.redialling(peer))
        return [.redial(peer)]
    }

    /// The redial was refused; `alone` when there is no other member to ask.
    public mutating func refused(_ peer: NodeID, alone: Bool, nonce: UInt64, at now: Instant) -> [Action] {
        guard let at = trails.firstIndex(of: .redialling(peer)) else { return [] }
        if alone {
            trails.remove(at: at)
            return [.suspect(peer)]
        }
        trails[at] = .asking(peer, nonce, until: now + patience)
        refreshDeadline()
        return [.askWitnesses(peer, nonce)]
    }

    /// Whether a link to this peer broke and is being looked into.
    public func isFollowing(_ peer: NodeID) -> Bool { trails.contains { $0.subject == peer } }

    /// The redial ran into its time limit: that is silence, for the ordinary probes to judge.
    public mutating func timedOut(_ peer: NodeID) { drop(peer) }

    /// Any authenticated frame ends the trail.
    public mutating func heard(_ peer: NodeID) { if !trails.isEmpty { drop(peer) } }

    /// A relay answers whether its own dial was refused too.
    public mutating func witnessed(_ nonce: UInt64, refused: Bool) -> [Action] {
        for trail in trails {
            if case .asking(let peer, nonce, _) = trail {
                drop(peer)
                return refused ? [.suspect(peer)] : []
            }
        }
        return []
    }

    /// Witnesses that stay silent settle nothing.
    public mutating func timer(_ now: Instant) {
        guard now >= nextDeadline else { return }
        trails.removeAll {
            if case .asking(_, _, let until) = $0 { return until <= now }
            return false
        }
        refreshDeadline()
    }

    private mutating func drop(_ peer: NodeID) {
        trails.removeAll { $0.subject == peer }
        refreshDeadline()
    }

    private mutating func refreshDeadline() {
        nextDeadline = .never
        for case .asking(_, _, let until) in trails { nextDeadline = min(nextDeadline, until) }
    }
}
