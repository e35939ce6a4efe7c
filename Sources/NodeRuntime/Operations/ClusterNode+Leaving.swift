import Cluster
import Foundation
import Wire

// How a node leaves for good: it takes nothing new, its roles go to others as if its disk were full, its
// tasks end, and then it says `left` (PROTOCOL.md, sections 2 and 3, "No room").

/// Why a node's process is to end.
public enum Departure: Equatable, Sendable {
    /// An operator drained it: it has handed its work on.
    case drained
    /// The protocol stopped it; why.
    case stopped(String)
    /// It was shut down from here.
    case shutDown
}

extension ClusterNode {
    /// Returns when this node's process is to end.
    public func departure() async -> Departure { await waiters.departure() }

    /// Has a node leave the cluster, this one or another.
    ///
    /// - Parameter forced: also when finished mosaics are on that node alone, or nobody is there to take its
    ///   jobs.
    /// - Throws: `RuntimeError` or `BulkFailure`: it cannot be reached, or should not leave, and why.
    public func drain(_ node: NodeID, forced: Bool) async throws {
        if node == id { return try await drain(forced: forced) }
        guard let member = await members().first(where: { $0.id == node }) else {
            throw RuntimeError("no member is called \(node); arbutus members lists them")
        }
        guard member.standing.isPresent else {
            throw RuntimeError("node \(node) is \(member.standing): there is nothing to drain")
        }
        do {
            _ = try await instruct(node, .drain(forced: forced))
        } catch BulkFailure.refused(_, let reason) {
            throw RuntimeError(reason)
        }
    }

    /// Begins to leave; `departure` tells when all is handed on.
    func drain(forced: Bool) async throws {
        let obstacles = await look { node in Self.obstacles(to: node) }
        guard forced || obstacles.isEmpty else {
            throw RuntimeError(obstacles.joined(separator: "; ") + " (or force it)")
        }
        guard
            isLeaving.withLock({ flag in
                defer { flag = true }
                return !flag
            })
        else { return }
        logger.notice("draining: no new work is taken, roles and results go to others")
        let engine = await look { $0.membership.record?.claim.engine }
        if var engine {
            engine.hasRoom = false
            post(.engineChanged(engine))
        }
        Task { await handOn() }
    }

    /// Waits until the others have all they need of this node, at most ten minutes.
    private func handOn() async {
        let end = ContinuousClock.now + .seconds(600)
        // One heartbeat at least, so that all have heard that nothing more is to come here.
        var calm = 0
        while calm < 5, ContinuousClock.now < end {
            let duties = await look { node in Self.duties(of: node) } + (shell.pool.count > 0 ? 1 : 0)
            calm = duties == 0 ? calm + 1 : 0
            do { try await Task.sleep(for: .milliseconds(400)) } catch { break }
        }
        if calm < 5 {
            logger.warning(
                "draining took ten minutes; the node leaves, and others make again what is missing")
        } else {
            logger.notice("drained: the node leaves")
        }
        waiters.depart(.drained)
    }

    /// Live jobs in which this node still has a role.
    private static func duties(of node: Node) -> Int {
        guard let jobs = node.jobs else { return 0 }
        let others = jobs.view.others.contains { $0.hasRoom }
        guard others else { return 0 }
        let roles = jobs.book.all.filter { header in
            header.isLive && (header.term.node == jobs.me || header.reign.keepers.contains(jobs.me))
        }
        return roles.count + jobs.coordinators.values.count { !$0.isOver && $0.header.term.node == jobs.me }
    }

    /// What would be lost if this node left now, as sentences.
    private static func obstacles(to node: Node) -> [String] {
        guard let jobs = node.jobs else { return [] }
        var found: [String] = []
        let alone = jobs.book.all.filter { header in
            !header.isLive && header.outputHolders.contains(jobs.me)
                && !header.outputHolders.contains { $0 != jobs.me && jobs.view.isAlive($0) }
        }
        if let first = alone.first {
            found.append(
                "the outputs of \(alone.count) jobs, \(first.id) first, are on node \(jobs.me) alone; fetch "
                    + "them, or start a node that has a copy")
        }
        let live = jobs.book.all.filter { $0.isLive && $0.term.node == jobs.me }
        if !live.isEmpty, !jobs.view.others.contains(where: { $0.hasRoom }) {
            found.append(
                "no other node is there to take the \(live.count) live jobs of node \(jobs.me); start one or "
                    + "wait until they have ended")
        }
        return found
    }
}

extension ExitReason {
    /// What a node that stops by its own decision says, and what to do.
    var sentence: String {
        switch self {
        case .farewellSaid: "the node said goodbye"
        case .anotherMachineHasOurKey:
            "another machine runs with this node's key (a cloned machine or a restored snapshot?); remove "
                + "node.key from the data folder of this one and start it again: it gets a key of its own"
        case .denied:
            "the cluster denies this node: its operators have shut it out; a machine that may come back "
                + "needs a key of its own (remove node.key from its data folder) and the cluster's present "
                + "key"
        }
    }
}
