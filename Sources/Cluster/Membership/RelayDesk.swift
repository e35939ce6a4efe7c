// Probing for others. The relay pings with a random of its own, so that the target's answer cannot be forged
// from what the asker sent, and says `nack` in time, so that the asker knows that at least the relay lives.

/// The probes that this node carries out for others (SWIM section 3.1, Lifeguard section IV-A).
public struct RelayDesk: Equatable, Sendable {
    /// What an errand asks of the node.
    public enum Action: Equatable, Sendable {
        case ping(NodeID, UInt64)
        case ack(NodeID, Address, UInt64)
        case nack(NodeID, Address, UInt64)
    }

    struct Errand: Equatable, Sendable {
        let asker: NodeID
        let askerAddress: Address
        let askerNonce: UInt64
        let nonce: UInt64
        let nackAt: Instant
    }

    private(set) var errands: [Errand] = []
    private let patience: Span
    private let most: Int
    /// When `timer` has something to do.
    public private(set) var nextDeadline = Instant.never

    public init(_ configuration: Configuration) {
        let half = configuration.verdictSpan - configuration.directSpan
        patience = half * 0.8
        most = configuration.fault == .relayUnbounded ? .max : configuration.mostRelayed
    }

    /// Errands under way.
    public var count: Int { errands.count }

    /// A request beyond the bound is dropped: the asker has other relays.
    public mutating func asked(
        _ target: NodeID, for asker: NodeID, at address: Address, _ askerNonce: UInt64, nonce: UInt64,
        now: Instant
    ) -> [Action] {
        guard errands.count < most else { return [] }
        let nackAt = now + patience
        errands.append(
            Errand(asker: asker, askerAddress: address, askerNonce: askerNonce, nonce: nonce, nackAt: nackAt))
        nextDeadline = min(nextDeadline, nackAt)
        return [.ping(target, nonce)]
    }

    /// The target answered one of our pings.
    public mutating func acked(_ nonce: UInt64) -> [Action] {
        guard let at = errands.firstIndex(where: { $0.nonce == nonce }) else { return [] }
        let errand = errands.remove(at: at)
        nextDeadline = errands.first?.nackAt ?? .never
        return [.ack(errand.asker, errand.askerAddress, errand.askerNonce)]
    }

    /// Time has passed: sends the nacks that are due and drops old errands.
    public mutating func timer(_ now: Instant) -> [Action] {
        guard now >= nextDeadline else { return [] }
        let late = errands.prefix { $0.nackAt <= now }
        errands.removeFirst(late.count)
        nextDeadline = errands.first?.nackAt ?? .never
        return late.map { .nack($0.asker, $0.askerAddress, $0.askerNonce) }
    }
}
