import Cluster

// Which connection is the link to a peer. Two nodes may dial each other in the same moment, and both must
// keep the same connection, with nothing said on the other. So a connection is not a link before both sides
// have committed to it: the caller when it proves itself, the answering side when it confirms that. Each side
// commits to one at a time; where two calls cross, the side with the lower NodeID stands by its own and lets
// the other's wait, and the higher gives way (PROTOCOL section 6).
//
// Later on, a call from a linked peer means that it lost the link, so the new connection takes its place. But
// right after our call was confirmed it may have set out before that: the lower sends it back, and a peer
// that did lose the link calls again.

/// The control links that stand, and those about to.
struct LinkTable: Equatable, Sendable {
    /// A connection that the transport knows by number.
    struct Entry: Equatable, Sendable {
        let connection: UInt64
        let peer: LinkPeer
        /// When it was last heard of here, in seconds of a monotonic clock.
        var at: Double
    }

    /// What the transport does next.
    enum Action: Equatable, Sendable {
        /// We called: prove ourselves there.
        case prove(UInt64)
        /// We called, and are linked already: hang up, and tell the owner of the link that stands.
        case merge(UInt64, into: UInt64)
        /// We called, and another call of ours to the same peer is further: hang up.
        case crossed(UInt64)
        /// We were called: confirm, and the connection is the link.
        case confirm(UInt64)
        /// We were called, and our own call won: say so.
        case reject(UInt64)
        /// The connection is the link now; tell the owner.
        case up(UInt64)
        /// The link that was; say goodbye there.
        case retire(UInt64)
        /// Tell the owner that the link to this peer ended.
        case lost(LinkPeer, LinkLoss)
    }

    private let me: NodeID
    /// A proof that was on its way when our call was confirmed arrives within this time.
    private let crossing: Double
    /// Peers whose link we called for.
    private var calledByUs: Set<NodeID> = []
    private(set) var entries: [NodeID: Entry] = [:]
    /// Our calls that were proved and not confirmed.
    private var calls: [NodeID: Entry] = [:]
    /// Calls of peers that wait for the end of ours.
    private var held: [NodeID: Entry] = [:]

    init(me: NodeID, crossing: Double) {
        self.me = me
        self.crossing = crossing
    }

    /// Our call met this peer, and could be proved.
    mutating func met(_ new: Entry) -> [Action] {
        let id = new.peer.id
        if let old = entries[id], old.peer == new.peer {
            return [.merge(new.connection, into: old.connection)]
        }
        guard calls[id] == nil else { return [.crossed(new.connection)] }
        calls[id] = new
        return [.prove(new.connection)]
    }

    /// The peer confirmed our call.
    mutating func confirmed(_ connection: UInt64, by peer: NodeID, at now: Double) -> [Action] {
        guard var call = calls[peer], call.connection == connection else { return [] }
        calls[peer] = nil
        call.at = now
        let waiting = held.removeValue(forKey: peer).map { [Action.reject($0.connection)] } ?? []
        let lost = replace(with: call)
        calledByUs.insert(peer)
        return lost + [.up(connection)] + waiting
    }

    /// A peer called us and proved itself.
    mutating func called(_ new: Entry) -> [Action] {
        let id = new.peer.id
        if calls[id] != nil, me < id {
            let older = held.updateValue(new, forKey: id).map { [Action.reject($0.connection)] } ?? []
            return older
        }
        if let old = entries[id], old.peer == new.peer, calledByUs.contains(id), me < id,
            new.at - old.at < crossing
        {
            return [.reject(new.connection)]
        }
        return accept(new)
    }

    /// A connection ended.
    mutating func ended(_ connection: UInt64, of peer: NodeID, _ loss: LinkLoss) -> [Action] {
        if held[peer]?.connection == connection { held[peer] = nil }
        if calls[peer]?.connection == connection {
            calls[peer] = nil
            return held.removeValue(forKey: peer).map { accept($0) } ?? []
        }
        guard let entry = entries[peer], entry.connection == connection else { return [] }
        entries[peer] = nil
        calledByUs.remove(peer)
        return [.lost(entry.peer, loss)]
    }

    /// The owner wants no link to this peer: the one that stood.
    mutating func close(_ peer: NodeID) -> Entry? {
        calledByUs.remove(peer)
        return entries.removeValue(forKey: peer)
    }

    private mutating func accept(_ new: Entry) -> [Action] {
        replace(with: new) + [.up(new.connection), .confirm(new.connection)]
    }

    private mutating func replace(with new: Entry) -> [Action] {
        calledByUs.remove(new.peer.id)
        guard let old = entries.updateValue(new, forKey: new.peer.id) else { return [] }
        return (old.peer == new.peer ? [] : [.lost(old.peer, .replaced)]) + [.retire(old.connection)]
    }
}
