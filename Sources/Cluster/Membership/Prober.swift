// One probe at a time would be too slow to tell a slow network from a dead node, so a probe has two halves:
// pings of our own, then relays that ping for us from elsewhere (SWIM section 3.1). Times grow with our local
// health score.

/// The probes that this node has in flight.
public struct Prober: Equatable, Sendable {
    /// What a probe asks of the node.
    public enum Action: Equatable, Sendable {
        case ping(NodeID, UInt64)
        /// Ask relays, and try the link if there is one.
        case askRelays(NodeID, UInt64)
        case answered(NodeID)
        /// No answer. `silent`: relays that said neither ack nor nack.
        case failed(NodeID, silent: Int)
    }

    /// A probe goes pinging → relaying → gone.
    struct Probe: Equatable, Sendable {
        let target: NodeID
        let nonce: UInt64
        let began: Instant
        let scale: Int
        var pingsSent = 1
        var relaysAsked = 0
        var relaying = false
        var nacks = 0
        var due: Instant
    }

    private(set) var probes: [Probe] = []
    private let pings: Int
    private let direct: Span
    private let verdict: Span
    private let fault: DeliberateFault?
    /// When `timer` has something to do.
    public private(set) var nextDeadline = Instant.never

    public init(_ configuration: Configuration) {
        pings = configuration.directPings
        direct = configuration.directSpan
        verdict = configuration.verdictSpan
        fault = configuration.fault
    }

    /// Starts a probe, unless one of this target is in flight.
    public mutating func probe(_ target: NodeID, nonce: UInt64, scale: Int, at now: Instant) -> [Action] {
        guard !probes.contains(where: { $0.target == target }) else { return [] }
        let due = now + Span(nanoseconds: direct.nanoseconds * Int64(scale) / Int64(pings))
        probes.append(Probe(target: target, nonce: nonce, began: now, scale: scale, due: due))
        nextDeadline = min(nextDeadline, due)
        return [.ping(target, nonce)]
    }

    /// An ack counts only with the random of a probe in flight: a replayed one has another.
    public mutating func acked(_ nonce: UInt64, by sender: NodeID) -> [Action] {
        let anyAck = fault == .replayedAckAccepted
        return remove { $0.nonce == nonce || (anyAck && $0.target == sender) }
    }

    /// A frame from the target is as good as an ack: a session cannot be replayed.
    public mutating func heard(_ target: NodeID) -> [Action] {
        probes.isEmpty ? [] : remove { $0.target == target }
    }

    /// A relay lives although the target does not answer it.
    public mutating func nacked(_ nonce: UInt64) {
        if let at = probes.firstIndex(where: { $0.nonce == nonce && $0.nacks < $0.relaysAsked }) {
            probes[at].nacks += 1
        }
    }

    /// How many relays were really asked; their silence counts against our own health.
    public mutating func relaysAsked(_ count: Int, nonce: UInt64) {
        if let at = probes.firstIndex(where: { $0.nonce == nonce }) { probes[at].relaysAsked = count }
    }

    /// Probes that overlap a stall of ours prove nothing.
    public mutating func voidAll() {
        probes.removeAll()
        nextDeadline = .never
    }

    /// Time has passed: pings again, asks relays, or gives the verdict.
    public mutating func timer(_ now: Instant) -> [Action] {
        guard now >= nextDeadline else { return [] }
        var actions: [Action] = []
        for at in probes.indices.reversed() where probes[at].due <= now {
            actions += advance(at)
        }
        refreshDeadline()
        return actions
    }

    private mutating func advance(_ at: Int) -> [Action] {
        let probe = probes[at]
        if probe.relaying {
            probes.remove(at: at)
            return [.failed(probe.target, silent: probe.relaysAsked - probe.nacks)]
        }
        if probe.pingsSent < pings {
            probes[at].pingsSent += 1
            let share = direct.nanoseconds * Int64(probe.scale) * Int64(probe.pingsSent + 1) / Int64(pings)
            probes[at].due = probe.began + Span(nanoseconds: share)
            return [.ping(probe.target, probe.nonce)]
        }
        probes[at].relaying = true
        probes[at].due = probe.began + verdict * probe.scale
        return [.askRelays(probe.target, probe.nonce)]
    }

    private mutating func remove(where matches: (Probe) -> Bool) -> [Action] {
        guard let at = probes.firstIndex(where: matches) else { return [] }
        let target = probes.remove(at: at).target
        refreshDeadline()
        return [.answered(target)]
    }

    private mutating func refreshDeadline() {
        nextDeadline = .never
        for probe in probes { nextDeadline = min(nextDeadline, probe.due) }
    }
}
