// Somebody else speaks with our key. Either our past does (the disk was rolled back, the restart was quick),
// and we have to rise above it; or a copy of this machine runs, and one of the two has to go. An echo tells
// which: the past does not answer.

/// Deals with records of our own key that another start signed (PROTOCOL section 1).
public struct OtherStart: Equatable, Sendable {
    /// What the node does about the other start.
    public enum Action: Equatable, Sendable {
        case echo(Address, UInt64)
        /// Go on with an epoch above this one.
        case adopt(above: UInt32)
        /// Another machine runs with this node's key, and stays.
        case giveWay
    }

    enum State: Equatable, Sendable {
        case idle
        /// `version` is nil when only an echo was seen: then silence proves nothing about epochs.
        case asking(Address?, version: Version?, nonce: UInt64, until: Instant, nextEcho: Instant)
    }

    /// The questions of the other start that we answered, by their numbers.
    struct Asker: Equatable, Sendable {
        let start: StartID
        var nonces: [UInt64]
    }

    private(set) var state = State.idle
    private(set) var asker: Asker?
    private let patience: Span
    private let fault: DeliberateFault?
    private static let echoInterval = Span.milliseconds(500)
    /// Who asks so often has not heard our answers.
    private static let mostQuestions = 3

    public init(_ configuration: Configuration) {
        patience = configuration.echoSpan
        fault = configuration.fault
    }

    /// When `timer` is due.
    public var nextDeadline: Instant {
        if case .asking(_, _, _, let until, let next) = state { return min(until, next) }
        return .never
    }

    /// A record or claim of our key that is not ours came in, or an echo from another start.
    public mutating func seen(
        _ version: Version?, at address: Address?, nonce: UInt64, now: Instant
    ) -> [Action] {
        if fault == .rollbackNotNoticed { return [] }
        switch state {
        case .asking(let known, let higher, let nonce, let until, let next):
            let highest = [version, higher].compactMap(\.self).max()
            state = .asking(known ?? address, version: highest, nonce: nonce, until: until, nextEcho: next)
            return []
        case .idle:
            let next = address == nil ? Instant.never : now + OtherStart.echoInterval
            state = .asking(address, version: version, nonce: nonce, until: now + patience, nextEcho: next)
            return address.map { [.echo($0, nonce)] } ?? []
        }
    }

    /// An echo of another start came, and is answered. One that goes on asking cannot hear us (it has retired
    /// the key under which we speak, or the way is cut) and so will never learn that it should go: then we
    /// go.
    public mutating func asked(_ nonce: UInt64, by other: StartID) -> [Action] {
        guard fault != .clonesBothStay, asker?.nonces.contains(nonce) != true else { return [] }
        if asker?.start == other {
            asker?.nonces.append(nonce)
        } else {
            asker = Asker(start: other, nonces: [nonce])
        }
        return asker.map { $0.nonces.count >= Self.mostQuestions ? [.giveWay] : [] } ?? []
    }

    /// A clone answered. The lower (epoch at start, start id) goes; the other rises above both.
    public mutating func answered(
        _ nonce: UInt64, by other: (epochAtStart: UInt32, start: StartID),
        us: (epochAtStart: UInt32, start: StartID)
    ) -> [Action] {
        guard case .asking(_, let version, nonce, _, _) = state, other.start != us.start else { return [] }
        state = .idle
        if (us.epochAtStart, us.start) < (other.epochAtStart, other.start), fault != .clonesBothStay {
            return [.giveWay]
        }
        return version.map { [.adopt(above: $0.epoch)] } ?? []
    }

    /// Time has passed: repeats the echo, or concludes from the silence.
    public mutating func timer(_ now: Instant) -> [Action] {
        guard case .asking(let address, let version, let nonce, let until, let next) = state else {
            return []
        }
        if now >= until {
            state = .idle
            return version.map { [.adopt(above: $0.epoch)] } ?? []
        }
        guard now >= next, let address else { return [] }
        state = .asking(
            address, version: version, nonce: nonce, until: until, nextEcho: now + OtherStart.echoInterval)
        return [.echo(address, nonce)]
    }
}
