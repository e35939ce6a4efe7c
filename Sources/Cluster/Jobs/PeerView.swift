// What jobs and stealing may know of membership: a small value, copied in, sorted, never asked back.

/// One node as this node sees it at a moment.
public struct Peer: Hashable, Sendable {
    /// What membership thinks of it (PROTOCOL 2).
    public enum Standing: UInt8, Hashable, Sendable { case alive, suspect, dead, left }

    /// Which node.
    public var id: NodeID
    /// Its start id: what a restarted node said before says nothing any more.
    public var start: UInt64
    /// What membership thinks of it.
    public var standing: Standing
    /// Its engine fingerprint; nil while unknown.
    public var fingerprint: Digest?
    /// How many tasks it runs at a time.
    public var slots: Int
    /// False: it takes no new role and claims nothing.
    public var hasRoom: Bool
    /// Bytes that a task may need there; a dearer one is not offered to it.
    public var memory: Int

    /// A node as membership describes it.
    public init(
        id: NodeID, start: UInt64, standing: Standing = .alive, fingerprint: Digest? = nil, slots: Int = 1,
        hasRoom: Bool = true, memory: Int = .max
    ) {
        self.id = id
        self.start = start
        self.standing = standing
        self.fingerprint = fingerprint
        self.slots = slots
        self.hasRoom = hasRoom
        self.memory = memory
    }
}

/// All nodes, ourselves among them, as this node sees them at a moment.
public struct PeerView: Equatable, Sendable {
    /// This node.
    public let me: NodeID
    /// Everyone, sorted by id.
    public let peers: [Peer]

    /// Sorts the peers; `me` must be one of them.
    public init(me: NodeID, peers: [Peer]) {
        self.me = me
        self.peers = peers.sorted { $0.id < $1.id }
        precondition(
            peers.contains { $0.id == me }, "node \(me) is missing in its own view of \(peers.count) peers")
    }

    /// The entry of `id`, if it is known.
    public subscript(id: NodeID) -> Peer? {
        var (low, high) = (0, peers.count)
        while low < high {
            let middle = (low + high) / 2
            if peers[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < peers.count && peers[low].id == id ? peers[low] : nil
    }

    /// This node's own entry.
    public var own: Peer {
        guard let own = self[me] else { preconditionFailure("node \(me) is missing in its own view") }
        return own
    }

    /// True for ourselves and for those that we see alive, not even suspect.
    public func isAlive(_ id: NodeID) -> Bool { id == me || self[id]?.standing == .alive }

    /// True until membership is sure of the end: a suspect may still answer.
    public func mayAnswer(_ id: NodeID) -> Bool {
        guard let standing = self[id]?.standing else { return false }
        return id == me || standing == .alive || standing == .suspect
    }

    /// The same start of the node may still answer: what it held, it holds.
    public func isSameStart(_ id: NodeID, _ start: UInt64) -> Bool {
        mayAnswer(id) && self[id]?.start == start
    }

    /// Others that are alive, sorted.
    public var others: [Peer] { peers.filter { $0.id != me && $0.standing == .alive } }

    /// Others that are alive, in the order of the rendezvous hash of `job`: the same order on every node.
    public func ranked(for job: JobID) -> [Peer] {
        func score(_ peer: Peer) -> UInt64 {
            scrambled(job.high ^ scrambled(job.low ^ scrambled(peer.id.short)))
        }
        return others.sorted { (score($0), $0.id.short) < (score($1), $1.id.short) }
    }

    /// The fingerprint with the most slots among the live nodes; equal ones, the lower digest. Nil: none is
    /// known.
    public var commonestFingerprint: Digest? {
        var slots: [Digest: Int] = [:]
        for peer in peers where isAlive(peer.id) {
            if let print = peer.fingerprint { slots[print, default: 0] += max(1, peer.slots) }
        }
        return slots.min { ($1.value, $0.key) < ($0.value, $1.key) }?.key
    }
}
