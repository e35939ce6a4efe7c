import Cluster
import Foundation
import Mosaic
import TileStore

/// What a node counts and measures of itself, for metrics.
public struct NodeFigures: Sendable {
    /// Messages and bytes of one kind.
    public struct Traffic: Sendable {
        public let kind: String
        public let messages: Int
        public let bytes: Int
    }

    public let version: String
    /// The engine fingerprint.
    public let engine: String
    public let isReady: Bool
    public let isLeaving: Bool
    /// Members by state, this node among the living.
    public let members: [String: Int]
    /// Jobs by state.
    public let jobs: [String: Int]
    /// Jobs that this node coordinates, and that it keeps the record of.
    public let coordinates: Int
    public let keeps: Int
    /// Tasks on this node's workers.
    public let tasksAtWork: Int
    public let slots: Int
    /// Tasks that ended here, by how.
    public let tasks: [String: Int]
    public let assemblies: Int
    /// What it was granted, and what it stole.
    public let work: WorkTally
    /// Ranges that it gave to thieves of jobs that it does not coordinate.
    public let stealsOut: Int
    /// Frames and bulk items by kind.
    public let sent: [Traffic]
    public let received: [Traffic]
    /// Datagrams: probes and gossip.
    public let datagramsSent: Traffic
    public let datagramsReceived: Traffic
    /// Datagrams that were not used, by why.
    public let datagramsDropped: [String: Int]
    public let handshakesFailed: Int
    public let connectionsTurnedAway: Int
    /// Inputs of the protocol that were dropped because too many waited.
    public let inputsDropped: Int
    /// Bytes for two peers or more wait for the network: thieves get nothing of what waits here.
    public let isUplinkFull: Bool
    public let store: TileStore.Usage
}

extension ClusterNode {
    /// What the protocol's thread knows for `figures`.
    private struct Sight: Sendable {
        var members: [String: Int]
        var jobs: [String: Int] = [:]
        var coordinates = 0
        var keeps = 0
        var tally: WorkTally

        init(_ node: Node) {
            members = ["alive": 1]
            for member in node.membership.table.rows { members["\(member.standing)", default: 0] += 1 }
            tally = node.workTally
            guard let known = node.jobs else { return }
            for header in known.book.all {
                jobs[header.stateName, default: 0] += 1
                if header.isLive, header.reign.keepers.contains(known.me) { keeps += 1 }
            }
            coordinates = known.coordinators.values.count { !$0.isOver }
        }
    }

    /// The figures now. The store is counted at most every 15 s.
    public func figures() async -> NodeFigures {
        let sight = await look { Sight($0) }
        let network = await parts.transport?.counts() ?? .init()
        let counts = tally.counts
        func list(_ traffic: [String: NodeTally.Traffic]) -> [NodeFigures.Traffic] {
            traffic.sorted { $0.key < $1.key }.map {
                NodeFigures.Traffic(kind: $0.key, messages: $0.value.messages, bytes: $0.value.bytes)
            }
        }
        return NodeFigures(
            version: ArbutusVersion.string, engine: shell.parts.fingerprint, isReady: isReady,
            isLeaving: isLeaving.withLock { $0 }, members: sight.members, jobs: sight.jobs,
            coordinates: sight.coordinates, keeps: sight.keeps, tasksAtWork: shell.pool.count,
            slots: shell.parts.limits.threads, tasks: counts.tasks, assemblies: counts.assemblies,
            work: sight.tally, stealsOut: counts.stealsOut,
            sent: list(counts.sent), received: list(counts.received),
            datagramsSent: NodeFigures.Traffic(
                kind: "gossip", messages: network.datagramsSent, bytes: network.datagramBytesSent),
            datagramsReceived: NodeFigures.Traffic(
                kind: "gossip", messages: network.datagramsReceived, bytes: network.datagramBytesReceived),
            datagramsDropped: [
                "forged": network.datagramsForged, "other_version": network.datagramsOfOtherVersion,
                "unknown_key": network.datagramsUnderUnknownKey, "wrong_size": network.datagramsOfWrongSize,
                "unsent": network.datagramsUnsent,
            ], handshakesFailed: network.handshakesFailed,
            connectionsTurnedAway: network.connectionsTurnedAway,
            inputsDropped: parts.loop?.droppedInputs ?? 0, isUplinkFull: uplink.isFull,
            store: await storeUsage())
    }

    /// Whether the node has tried each seed, so that it answers for the cluster, and takes work.
    public var isReady: Bool { readiness.withLock({ $0 }) && !isLeaving.withLock { $0 } }

    /// A member's row changed: a line in the log, on the protocol's thread.
    func published(_ change: MemberChange, _ loop: NodeLoop) {
        loop.ask { [diary] node in
            let record = node.membership.table[change.id]?.record
            diary.member(change, at: record?.claim.address)
            if let theirs = record?.claim.engine?.fingerprint,
                let ours = node.membership.record?.claim.engine?.fingerprint
            {
                diary.engine(theirs, of: change.id, ours: ours)
            }
        }
    }

    private func storeUsage() async -> TileStore.Usage {
        await withCheckedContinuation { continuation in
            operations.async(flags: .barrier) { [self] in
                let known = storeCount.withLock { $0 }
                if let known, ContinuousClock.now - known.at < .seconds(15) {
                    return continuation.resume(returning: known.usage)
                }
                let usage = shell.parts.store.usage()
                storeCount.withLock { $0 = (usage, .now) }
                continuation.resume(returning: usage)
            }
        }
    }
}
