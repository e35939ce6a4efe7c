import Cluster
import Foundation
import Logging
import Sodium
import Synchronization
import Transport
import Wire

/// Between the protocol's values and the transport's bytes: encodes, decodes, and lets no record pass that
/// its subject did not sign.
final class NodeWires: @unchecked Sendable {
    private let identity: NodeIdentity
    private let transport: Transport
    private let tally: NodeTally
    private let diary: NodeDiary
    private let logger: Logger
    private let port = Mutex(0)
    private let dials = Mutex<(last: UInt64, pending: [UInt64: Purpose])>((0, [:]))

    private enum Purpose {
        case control(DialTarget)
        case bulk(NodeID)
    }

    /// What a transport's event means.
    enum Meaning {
        case input(Input)
        case bulkFailed(NodeID)
        case nothing
    }

    init(
        identity: NodeIdentity, transport: Transport, tally: NodeTally, diary: NodeDiary, logger: Logger
    ) {
        (self.identity, self.transport, self.tally) = (identity, transport, tally)
        (self.diary, self.logger) = (diary, logger)
    }

    /// The port at which this node can be reached.
    func listens(at port: Int) { self.port.withLock { $0 = port } }

    // MARK: Out

    func send(_ datagram: Datagram, to address: Address) {
        let body = WireDatagram.encode(
            datagram.message, datagram.rumours, limit: SealedDatagram.bodyLimit)
        transport.send(body, to: datagram.target, at: address)
    }

    func send(_ frame: Frame, to peer: NodeID) {
        let bytes = WireFrame.encode(frame)
        guard bytes.count <= FrameKind.control.payloadLimit else {
            logger.error("a message of \(bytes.count) bytes to node \(peer) is too large and was not sent")
            return
        }
        transport.send(bytes, to: peer)
        tally.sent(frame, bytes: bytes.count, by: identity.id)
    }

    func dial(_ target: DialTarget) {
        let number = nextNumber(.control(target))
        let expected: NodeID? = if case .member(let id, _) = target { id } else { nil }
        transport.dial(number, target.address, expecting: expected)
    }

    func dialBulk(_ peer: NodeID, at address: Address) {
        transport.dial(nextNumber(.bulk(peer)), address, expecting: peer, purpose: .bulk)
    }

    func sign(_ claim: AliveClaim) -> AliveRecord {
        WireRecord.make(
            claim, publicKey: identity.publicKey.bytes,
            signature: identity.sign(claim.signedBytes, purpose: .record))
    }

    private func nextNumber(_ purpose: Purpose) -> UInt64 {
        dials.withLock { dials in
            dials.last += 1
            dials.pending[dials.last] = purpose
            return dials.last
        }
    }

    private func taken(_ number: UInt64) -> Purpose? {
        dials.withLock { $0.pending.removeValue(forKey: number) }
    }

    // MARK: In

    /// A bulk link that we dialled stands; its number is done with.
    func bulkStands(_ dial: UInt64) { _ = taken(dial) }

    func meaning(of event: TransportEvent) -> Meaning {
        switch event {
        case .linkUp(let up):
            var target: DialTarget?
            if let dial = up.dial, case .control(let dialled)? = taken(dial) { target = dialled }
            return .input(.linkUp(up.peer.id, up.peer.start, seenAt: up.seenAt, target: target))
        case .linkLost(let peer, let loss):
            switch loss {
            case .goodbye, .closedHere: return .input(.linkLost(peer.id, .closed))
            case .broken: return .input(.linkLost(peer.id, .broken))
            case .replaced: return .nothing
            }
        case .dialFailed(let number, let failure): return dialFailed(number, failure)
        case .control(let bytes, _, let peer): return frame(bytes, peer)
        case .datagram(let sealed, let address): return datagram(sealed, address)
        case .refused(let address, let reason):
            diary.refused(address, reason)
            return .nothing
        }
    }

    private func dialFailed(_ number: UInt64, _ failure: FailedDial) -> Meaning {
        switch taken(number) {
        case .control(let target)?:
            diary.dialFailed(target.address, failure)
            return .input(.dialFailed(target, DialFailure(failure)))
        case .bulk(let peer)?: return .bulkFailed(peer)
        case nil: return .nothing
        }
    }

    private func frame(_ bytes: [UInt8], _ peer: LinkPeer) -> Meaning {
        do {
            let frame = try WireFrame.decode(bytes)
            tally.received(frame, bytes: bytes.count)
            guard WireFrame.records(in: frame).allSatisfy(isSigned) else {
                logger.warning("node \(peer.id) sent a record that its subject did not sign; it was dropped")
                return .nothing
            }
            return .input(.frame(withOwnPort(frame), from: peer.id, start: peer.start))
        } catch {
            logger.warning("node \(peer.id) sent a message that cannot be read: \(error)")
            return .nothing
        }
    }

    /// A peer that we called sees the port of that call; the one that others can call is the one we listen
    /// at.
    private func withOwnPort(_ frame: Frame) -> Frame {
        guard case .hello(let record, let root, let keys, let rumour, let seen?) = frame else { return frame }
        return .hello(
            record, root, keys: keys, ofYou: rumour, seenAt: seen.with(port: port.withLock { $0 }))
    }

    private func datagram(_ sealed: SealedDatagram, _ address: Address) -> Meaning {
        do {
            let (message, rumours) = try WireDatagram.decode(sealed.body)
            guard WireFrame.records(in: rumours).allSatisfy(isSigned) else {
                logger.warning("node \(sealed.sender) sent a record that its subject did not sign")
                return .nothing
            }
            let datagram = Datagram(
                sender: sealed.sender, start: sealed.start, target: sealed.target, message: message,
                rumours: rumours)
            return .input(.datagram(datagram, from: address))
        } catch {
            logger.warning("node \(sealed.sender) sent a datagram that cannot be read: \(error)")
            return .nothing
        }
    }

    /// Whether the record's subject signed it: the id is the key's, and the key's signature is over the
    /// claim.
    private func isSigned(_ record: AliveRecord) -> Bool {
        guard case .success(let seal) = Result(catching: { try WireRecord.seal(of: record) }),
            let key = SigningPublicKey(bytes: seal.publicKey), NodeID(of: key) == record.id
        else { return false }
        return key.verifies(seal.signature, of: seal.signed, purpose: .record)
    }
}

extension DialFailure {
    /// What the protocol makes of a transport's failure.
    init(_ problem: FailedDial) {
        switch problem {
        case .refused: self = .refused
        case .handshake(.ourselves): self = .ourselves
        case .handshake(.otherStart): self = .otherStart
        default: self = .timedOut
        }
    }
}
