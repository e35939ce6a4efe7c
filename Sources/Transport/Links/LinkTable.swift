import Cluster

// Which connection is the link to a peer. Two nodes may dial each other in the same moment; both connections
// come up, and both sides must keep the same one without asking: the one that the lower NodeID dialled
// (PROTOCOL section 6). Later on a second connection means that its caller lost the first, so the newer
// stays.

/// The control links that stand, one a peer.
struct LinkTable: Equatable, Sendable {
    /// A connection that the transport knows by number.
    struct Entry: Equatable, Sendable {
        let connection: UInt64
        let peer: LinkPeer
        /// Whether we dialled it.
        let isCaller: Bool
        /// When it came up, in seconds of a monotonic clock.
        let since: Double
    }

    /// What the transport does next.
    enum Action: Equatable, Sendable {
        /// The connection is the link now; tell the owner.
        case up(UInt64)
        /// The connection came up beside the link that stays; tell the owner if it waits for this dial.
        case merged(UInt64, into: UInt64)
        /// Say goodbye there, and read on until the peer does, so that nothing is lost.
        case retire(UInt64)
        /// Tell the owner that the link to this peer ended.
        case lost(LinkPeer, LinkLoss)
    }

    private let me: NodeID
    private let simultaneous: Double
    private(set) var entries: [NodeID: Entry] = [:]

    init(me: NodeID, simultaneous: Double) {
        self.me = me
        self.simultaneous = simultaneous
    }

    /// A connection finished its handshake.
    mutating func established(_ new: Entry) -> [Action] {
        guard let old = entries[new.peer.id] else {
            entries[new.peer.id] = new
            return [.up(new.connection)]
        }
        if stays(old, beside: new) {
            return [.merged(new.connection, into: old.connection), .retire(new.connection)]
        }
        entries[new.peer.id] = new
        let lost: [Action] = old.peer == new.peer ? [] : [.lost(old.peer, .replaced)]
        return lost + [.retire(old.connection), .up(new.connection)]
    }

    /// A connection ended.
    mutating func ended(_ connection: UInt64, of peer: NodeID, _ loss: LinkLoss) -> [Action] {
        guard let entry = entries[peer], entry.connection == connection else { return [] }
        entries[peer] = nil
        return [.lost(entry.peer, loss)]
    }

    /// The owner wants no link to this peer; the connection to say goodbye on.
    mutating func close(_ peer: NodeID) -> UInt64? { entries.removeValue(forKey: peer)?.connection }

    private func stays(_ old: Entry, beside new: Entry) -> Bool {
        guard old.peer == new.peer, old.isCaller != new.isCaller, new.since - old.since < simultaneous else {
            return false
        }
        return old.isCaller == (me < new.peer.id)
    }
}
