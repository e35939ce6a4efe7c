// What membership does for jobs: it carries their frames and rumours, tells who is there, and which process
// is surely gone.

extension Membership {
    /// What the jobs of this node should hear of, in order.
    enum Note: Equatable, Sendable {
        case frame(Frame, from: NodeID)
        case rumour(JobRumour, from: NodeID)
        case linkUp(NodeID)
        case linkFailed(NodeID)
        /// A link broke and its redial was refused.
        case refused(NodeID)
    }

    /// Everyone that jobs may deal with, ourselves among them.
    var view: PeerView {
        var peers = table.rows.map { peer($0.record, $0.standing) }
        peers.append(
            Peer(
                id: me, start: start.bits, standing: .alive, fingerprint: engine?.fingerprint,
                slots: engine?.slots ?? 1, hasRoom: engine?.hasRoom ?? true, memory: engine?.memory ?? .max))
        return PeerView(me: me, peers: peers)
    }

    private func peer(_ record: AliveRecord, _ standing: Standing) -> Peer {
        let told: Peer.Standing =
            switch standing {
            case .alive: .alive
            case .suspect: .suspect
            case .dead: .dead
            case .left: .left
            }
        let engine = record.claim.engine
        return Peer(
            id: record.id, start: record.start.bits, standing: told, fingerprint: engine?.fingerprint,
            slots: engine?.slots ?? 1, hasRoom: engine?.hasRoom ?? true, memory: engine?.memory ?? .max)
    }

    /// Sends a frame on the link to a member. Without a link one is dialled, and the answer is false.
    mutating func sendFrame(_ frame: Frame, to peer: NodeID) -> Bool {
        guard phase == .running, let slot = table.slot(of: peer) else { return false }
        guard table.rows[slot].link.isUp else {
            dial(slot)
            return false
        }
        let now = now
        table.note(slot) { $0.linkUsed = now }
        outbox.append(.sendFrame(frame, to: peer))
        return true
    }

    /// Tells a job's rumour to the targets of one gossip round.
    mutating func gossip(_ rumour: JobRumour) {
        let everybody = table.present <= configuration.gossipToAllUpTo
        let fanout = everybody ? table.present : configuration.gossipFanout
        for slot in table.choose(fanout, excluding: nil, &generator) { send(.job(rumour), [], to: slot) }
    }
}
