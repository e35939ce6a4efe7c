// Who owns which undone task, as the coordinator knows it from heartbeats. A claim lasts three seconds from
// the receipt of its heartbeat, whatever membership says; then the task is the coordinator's again, so
// nothing is ever lost (PROTOCOL 4).

/// The coordinator's table of claims of one run.
///
/// A task is *open* while it has to be done; an open task without any claim is *free*, the coordinator's to
/// grant.
public struct Claims: Sendable {
    /// How long a claim lasts from the receipt of its heartbeat.
    public static let lifetime = Span.seconds(3)
    /// How long a victim that had nothing for a thief is not named to it again while there are others.
    static let triedFor = Span.seconds(2)

    /// What one node told last.
    struct Node: Sendable {
        var start: UInt64
        var sequence: UInt64
        var heard: Instant
        var expires: Instant
        var owned = TaskSet()
        var running: [TaskID: Work] = [:]
        var secondsPerCost = 0.0
        var isSaturated = false
        var seen: [SeenTransfer] = []
        /// Tasks that have not started, and their predicted cost.
        var queued = 0
        var queuedCost = 0.0
        /// Thieves that were pointed here since the last heartbeat, and the predicted cost that they get.
        var thieves = 0
        var pointedAway = 0.0

        /// Each thief takes a task at least: one more would find nothing.
        var isPickedClean: Bool { thieves >= queued }

        /// In how many seconds it would have done all that it has, at `seconds` a unit of cost in all its
        /// slots and `rate` in one.
        func ends(_ plan: JobPlan, _ seconds: Double, rate: Double, now: Instant) -> Double {
            let left = running.sorted { $0.key < $1.key }.reduce(0.0) { sum, work in
                sum + Victim.left(of: plan.cost(work.key), after: now - work.value.since, rate)
            }
            return (queuedCost + left) * seconds
        }

        /// One of its tasks takes twice its predicted time, at `rate` seconds a unit of cost.
        func isLate(_ plan: JobPlan, rate: Double, now: Instant) -> Bool {
            running.contains { (now - $0.value.since).seconds > 2 * plan.cost($0.key) * rate }
        }
    }

    /// One running task, as its node's heartbeats show it.
    struct Work: Equatable, Sendable {
        var progress: UInt32
        var since: Instant
        var changed: Instant
        var isCopy: Bool
    }

    struct SeenTransfer: Equatable, Sendable {
        let request: UInt64
        let thief: NodeID
    }

    /// Tasks on their way to a node that has not listed them yet.
    private struct Promise: Equatable, Sendable {
        let node: NodeID
        var tasks: TaskSet
        var expires: Instant
    }

    /// What is kept of a node whose claims ended: its last heartbeat is still old, and if it comes back as
    /// another start, the process that ran these tasks died.
    private struct Silent: Equatable, Sendable {
        let start: UInt64
        let sequence: UInt64
        let ran: [TaskID]
    }

    private struct Claimant: Equatable, Sendable {
        let node: NodeID
        /// When the node first listed the task; nil while it is only promised.
        var listed: Instant?
    }

    private(set) var nodes: [NodeID: Node] = [:]
    private var promises: [Promise] = []
    private var silent: [NodeID: Silent] = [:]
    private var claimants: [[Claimant]]
    /// Tasks that have to be done.
    public private(set) var open: TaskSet
    /// Open tasks that nobody claims.
    public private(set) var free: TaskSet
    private var earliest: Instant?
    private let fault: DeliberateFault?
    /// Nodes with tasks that have not started and to which no thief was pointed yet: the possible victims.
    private(set) var loaded: Set<NodeID> = []
    /// Where thieves were sent that have nothing yet, and when: who refuses a thief, for its link is slow,
    /// refuses it again.
    private var tried: [NodeID: [NodeID: Instant]] = [:]

    /// All of `open` is free.
    init(open: TaskSet, count: Int, fault: DeliberateFault? = nil) {
        self.fault = fault
        self.open = open
        free = open
        claimants = Array(repeating: [], count: count)
    }

    /// When `advance` may have something to do.
    public var nextDeadline: Instant? { earliest }

    /// Nodes that claim the task now, sorted.
    public func claimants(of task: TaskID) -> [NodeID] { claimants[task.index].map(\.node) }

    /// What `node` listed last, while it lasts.
    public func owned(by node: NodeID) -> TaskSet { nodes[node]?.owned ?? TaskSet() }

    // MARK: Events

    /// A heartbeat came. Nil: it is older than one that came before.
    mutating func heard(
        _ beat: Heartbeat, from node: NodeID, of plan: JobPlan, now: Instant
    ) -> (over: TaskSet, elsewhere: TaskSet)? {
        if isOld(beat, from: node), fault != .oldHeartbeatObeyed { return nil }
        let before = nodes[node]?.owned ?? TaskSet()
        var entry = nodes[node] ?? Node(start: beat.start, sequence: 0, heard: now, expires: now)
        if entry.start != beat.start { entry.running = [:] }
        silent[node] = nil
        entry.start = beat.start
        entry.sequence = beat.sequence
        entry.heard = now
        entry.expires = now + (fault == .claimNeverExpires ? Span.seconds(1e6) : Self.lifetime)
        entry.owned = beat.owned
        entry.secondsPerCost = beat.secondsPerCost
        entry.isSaturated = beat.isSaturated
        (entry.thieves, entry.pointedAway) = (0, 0)
        let started = beat.running.reduce(0) { $0 + plan.cost($1.task) }
        entry.queued = beat.owned.count - beat.running.count
        entry.queuedCost = entry.queued > 0 ? max(0, plan.cost(beat.owned) - started) : 0
        entry.running = Self.progress(entry.running, beat.running, now)
        // What was promised to others comes before what is taken away, so that nothing falls between.
        let transfers = beat.gave.filter {
            !entry.seen.contains(SeenTransfer(request: $0.request, thief: $0.thief))
        }
        entry.seen = beat.gave.map { SeenTransfer(request: $0.request, thief: $0.thief) }
        nodes[node] = entry
        noteLoad(node)
        for transfer in transfers where transfer.thief != node {
            promise(transfer.tasks.intersection(open), to: transfer.thief, now: now)
        }
        let new = beat.owned.subtracting(before)
        if !new.isEmpty { tried[node] = nil }
        list(new, node, now)
        release(before.subtracting(beat.owned), node)
        earliest = min(earliest ?? entry.expires, entry.expires)
        return (beat.owned.subtracting(open), lost(node, beat.owned.intersection(open)))
    }

    /// A node shows its start id. The tasks that an earlier start of it ran when it was last heard: its
    /// process died.
    mutating func started(_ node: NodeID, start: UInt64) -> (start: UInt64, tasks: [TaskID])? {
        if let entry = nodes[node], entry.start != start {
            return (entry.start, entry.running.keys.sorted())
        }
        guard let last = silent[node], last.start != start else { return nil }
        silent[node] = nil
        return last.ran.isEmpty ? nil : (last.start, last.ran)
    }

    /// Tasks were granted, or given by a victim: they are the node's for three seconds, until it lists them.
    mutating func promise(_ tasks: TaskSet, to node: NodeID, now: Instant) {
        let missing = tasks.subtracting(owned(by: node))
        guard !missing.isEmpty else { return }
        promises.append(Promise(node: node, tasks: missing, expires: now + Self.lifetime))
        for task in missing.tasks where !claimants[task.index].contains(where: { $0.node == node }) {
            claimants[task.index].append(Claimant(node: node, listed: nil))
        }
        free.subtract(missing)
        earliest = min(earliest ?? now + Self.lifetime, now + Self.lifetime)
    }

    /// A task has a result, is poison, or waits for its input.
    mutating func close(_ tasks: TaskSet) {
        open.subtract(tasks)
        free.subtract(tasks)
    }

    /// A task has to be done (again). Claims that are still listed count.
    mutating func reopen(_ tasks: TaskSet) {
        open = open.union(tasks)
        free = free.union(TaskSet(tasks.tasks.filter { claimants[$0.index].isEmpty }))
    }

    /// The node itself says that it has this task no more: it failed there.
    mutating func withdraw(_ task: TaskID, from node: NodeID) {
        nodes[node]?.owned.remove(task)
        nodes[node]?.running[task] = nil
        for at in promises.indices where promises[at].node == node { promises[at].tasks.remove(task) }
        release(TaskSet([task]), node)
    }

    /// Ends the claims that are over.
    mutating func advance(now: Instant) {
        guard let due = earliest, due <= now else { return }
        let ended = promises.filter { $0.expires <= now }
        promises.removeAll { $0.expires <= now }
        for promise in ended { release(promise.tasks.subtracting(owned(by: promise.node)), promise.node) }
        for (id, node) in nodes.sorted(by: { $0.key < $1.key }) where node.expires <= now {
            nodes[id] = nil
            loaded.remove(id)
            silent[id] = Silent(start: node.start, sequence: node.sequence, ran: node.running.keys.sorted())
            release(node.owned, id)
        }
        earliest = (nodes.values.map(\.expires) + promises.map(\.expires)).min()
    }

    /// Forgets what is kept of nodes that are no members any more: nothing is heard of them.
    mutating func keepSilent(only peers: [Peer]) {
        guard silent.count > peers.count else { return }
        let members = Set(peers.map(\.id))
        silent = silent.filter { members.contains($0.key) }
    }

    /// Our own stall is nobody else's silence.
    mutating func stalled(_ length: Span) {
        nodes = nodes.mapValues { node in
            var node = node
            node.expires = node.expires + length
            node.running = node.running.mapValues { work in
                var work = work
                work.changed = work.changed + length
                return work
            }
            return node
        }
        for at in promises.indices { promises[at].expires = promises[at].expires + length }
        earliest = earliest.map { $0 + length }
    }

    /// `thief` was sent to `victim`, which will have that much less; `takes`: it should get a task there.
    mutating func pointed(_ thief: NodeID, at victim: NodeID, cost: Double, takes: Bool, now: Instant) {
        tried[thief] = (tried[thief] ?? [:]).filter { now - $0.value < Self.triedFor }
        tried[thief]?[victim] = now
        if takes { nodes[victim]?.thieves += 1 }
        nodes[victim]?.pointedAway += cost
        noteLoad(victim)
    }

    /// When the thief was sent there in vain; nil: not a moment ago.
    func tried(_ victim: NodeID, by thief: NodeID, now: Instant) -> Instant? {
        tried[thief]?[victim].flatMap { now - $0 < Self.triedFor ? $0 : nil }
    }

    // MARK: Helpers

    private func isOld(_ beat: Heartbeat, from node: NodeID) -> Bool {
        if let known = nodes[node] { return known.start == beat.start && known.sequence >= beat.sequence }
        return silent[node].map { $0.start == beat.start && $0.sequence >= beat.sequence } ?? false
    }

    private mutating func noteLoad(_ node: NodeID) {
        if let entry = nodes[node], entry.queuedCost - entry.pointedAway > 1e-9 {
            loaded.insert(node)
        } else {
            loaded.remove(node)
        }
    }

    /// Progress is measured from the last change; a task that was not listed before starts now.
    private static func progress(
        _ before: [TaskID: Work], _ running: [RunningTask], _ now: Instant
    ) -> [TaskID: Work] {
        var result: [TaskID: Work] = [:]
        for item in running {
            var work =
                before[item.task]
                ?? Work(progress: item.progress, since: now, changed: now, isCopy: item.isCopy)
            if work.progress != item.progress { (work.progress, work.changed) = (item.progress, now) }
            result[item.task] = work
        }
        return result
    }

    private mutating func list(_ tasks: TaskSet, _ node: NodeID, _ now: Instant) {
        for range in tasks.ranges {
            for index in range.lower..<range.upper {
                if let at = claimants[index].firstIndex(where: { $0.node == node }) {
                    claimants[index][at].listed = claimants[index][at].listed ?? now
                } else {
                    claimants[index].append(Claimant(node: node, listed: now))
                }
            }
        }
        for at in promises.indices where promises[at].node == node {
            promises[at].tasks = promises[at].tasks.subtracting(tasks)
        }
        promises.removeAll { $0.tasks.isEmpty }
        free.subtract(tasks)
    }

    /// The node claims these no more, unless they are promised to it.
    private mutating func release(_ tasks: TaskSet, _ node: NodeID) {
        var freed = TaskSet()
        let promised = promises.filter { $0.node == node }.reduce(TaskSet()) { $0.union($1.tasks) }
        for range in tasks.ranges {
            for index in range.lower..<range.upper {
                if promised.contains(TaskID(index)) {
                    if let at = claimants[index].firstIndex(where: { $0.node == node }) {
                        claimants[index][at].listed = nil
                    }
                    continue
                }
                claimants[index].removeAll { $0.node == node }
                if claimants[index].isEmpty { freed.insert(TaskRange(index, index + 1)) }
            }
        }
        if !freed.isEmpty, fault != .releasedTasksLost { free.formUnion(freed.intersection(open)) }
    }

    /// Those of `tasks` that another node keeps: the one that runs it, else the lower id. Only a conflict
    /// that both heartbeats confirmed counts: a range that just changed hands is listed twice for a moment.
    private func lost(_ node: NodeID, _ tasks: TaskSet) -> TaskSet {
        var lost: [TaskID] = []
        for range in tasks.ranges {
            for index in range.lower..<range.upper where claimants[index].count > 1 {
                if loses(node, TaskID(index)) { lost.append(TaskID(index)) }
            }
        }
        return TaskSet(lost)
    }

    private func loses(_ node: NodeID, _ task: TaskID) -> Bool {
        guard let mine = claimants[task.index].first(where: { $0.node == node })?.listed,
            nodes[node]?.running[task] == nil
        else { return false }
        return claimants[task.index].contains { other in
            guard other.node != node, let since = other.listed, let rival = nodes[other.node],
                rival.heard > mine, rival.heard >= since
            else { return false }
            return rival.running[task] != nil || other.node < node
        }
    }
}
