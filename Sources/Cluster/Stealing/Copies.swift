// Two of a task on purpose. A rescue copy replaces one that does not get on; it is never capped. A
// speculative copy lets an idle node race a slow one at the end of a job; it is, because most of that work is
// wasted (PROTOCOL 4, S13).

/// Decides which running task an idle node may copy, at the coordinator.
public struct Copies: Equatable, Sendable {
    /// The most speculative copies of one task.
    public static let mostOfATask = 2
    /// The share of a job's CPU time that speculation may take.
    public static let share = 0.05
    static let stuckAtLeast = Span.seconds(3)
    static let stuckFactor = 3.0
    /// A copy has to be this much faster than what is left of the first.
    static let gainFactor = 1.5

    /// A speculative copy that was granted and is not known to have ended.
    private struct Racer: Equatable, Sendable {
        let node: NodeID
        let granted: Instant
        let predicted: Double
        /// The one copy that is always allowed.
        let isFree: Bool
        /// Its node has listed it.
        var wasListed = false
        /// Since when its node claims nothing. It may be gone, or only not heard: then it goes on.
        var silentSince: Instant?
        /// It was told to stop.
        var isStopped = false

        /// As far as is known it runs, and is to go on.
        var isActive: Bool { silentSince == nil && !isStopped }

        /// Seconds of CPU that it is known to have taken.
        func taken(_ now: Instant) -> Double { Copies.whole(((silentSince ?? now) - granted).seconds) }

        /// The same, and while it goes on at least what was predicted, for nobody knows how much is left.
        func seconds(_ now: Instant) -> Double { isActive ? max(predicted, taken(now)) : taken(now) }
    }

    private var racing: [TaskID: [Racer]] = [:]
    private var count = 0
    /// Seconds that speculative copies took which have ended, as they were measured.
    private var ended = 0.0
    /// Tasks that ever had a rescue copy, and those that ever had a speculative one.
    public private(set) var rescued = TaskSet()
    public private(set) var raced = TaskSet()
    /// Seconds of CPU that the job took so far, copies included.
    public private(set) var jobSeconds = 0.0
    /// The protocol fault that is switched on: for tests only.
    var fault: DeliberateFault?

    init(fault: DeliberateFault? = nil) { self.fault = fault }

    /// Where speculative copies of a task are at work or on their way.
    public func racers(of task: TaskID) -> [NodeID] {
        racing[task, default: []].filter(\.isActive).map(\.node)
    }

    /// Whether that copy at `node` is the one that is always allowed.
    public func isFree(_ task: TaskID, at node: NodeID) -> Bool {
        racing[task, default: []].contains { $0.node == node && $0.isFree }
    }

    /// Seconds charged to speculation.
    public func spent(now: Instant) -> Double {
        // In any order: `whole` seconds add up exactly.
        racing.values.joined().reduce(ended) { $0 + $1.seconds(now) }
    }

    /// A task took this long somewhere.
    mutating func measured(_ took: Span) { jobSeconds += max(0, took.seconds) }

    /// `node` finished a task; if that was a speculative copy, it took so long.
    mutating func finished(_ task: TaskID, on node: NodeID, took: Span) {
        guard let at = racing[task]?.firstIndex(where: { $0.node == node }) else { return }
        ended += Self.whole(max(0, took.seconds))
        remove(task, at)
    }

    /// A copy failed at `node`, or its task is granted to it anew, after its process died, say: what was
    /// there is over.
    mutating func ended(_ tasks: TaskSet, on node: NodeID, now: Instant) {
        for task in racing.keys.sorted() where tasks.contains(task) {
            guard let at = racing[task]?.firstIndex(where: { $0.node == node }) else { continue }
            ended += racing[task]?[at].taken(now) ?? 0
            remove(task, at)
        }
    }

    /// A heartbeat shows which copies run at `node`. Returns those that have to stop: speculation has used up
    /// its share, or a copy that was not heard for a while is one too many, and another node does the task.
    mutating func heard(_ beat: Heartbeat, from node: NodeID, _ claims: Claims, now: Instant) -> TaskSet {
        guard !racing.isEmpty else { return TaskSet() }
        let listed = Set(beat.running.map(\.task))
        for task in listed {
            guard let at = racing[task]?.firstIndex(where: { $0.node == node }) else { continue }
            racing[task]?[at].wasListed = true
            racing[task]?[at].silentSince = nil
        }
        let isOverspent = spent(now: now) > Self.share * jobSeconds && fault != .speculationUncapped
        var stopped = TaskSet()
        for task in racing.keys.sorted() {
            guard let at = racing[task]?.firstIndex(where: { $0.node == node }), let racer = racing[task]?[at]
            else { continue }
            if listed.contains(task) {
                let isCrowd = racers(of: task).count > Self.mostOfATask && fault != .tooManyCopies
                let mayGo = isOverspent && !racer.isFree || isCrowd || racer.isStopped
                let isStopped = mayGo && isDoneElsewhere(task, node, claims)
                racing[task]?[at].isStopped = isStopped
                if isStopped { stopped.insert(task) }
            } else if !beat.owned.contains(task), racer.wasListed || now - racer.granted > Claims.lifetime {
                if racer.wasListed { ended += racer.taken(now) }
                remove(task, at)
            }
        }
        return stopped
    }

    /// Another node claims the task and was not told to stop: of several copies one goes on.
    private func isDoneElsewhere(_ task: TaskID, _ node: NodeID, _ claims: Claims) -> Bool {
        let stopped = racing[task, default: []].filter(\.isStopped).map(\.node)
        return claims.claimants(of: task).contains { $0 != node && !stopped.contains($0) }
    }

    /// Nodes that claim nothing any more take no more time as far as anybody knows; if they are heard again
    /// before the task is done, their copies are still copies.
    mutating func advance(_ claims: Claims, now: Instant) {
        for task in racing.keys.sorted() {
            for (at, racer) in (racing[task] ?? []).enumerated().reversed()
            where claims.nodes[racer.node] == nil && now - racer.granted > Claims.lifetime {
                if claims.open.contains(task) {
                    racing[task]?[at].silentSince = racer.silentSince ?? now
                } else {
                    ended += racer.taken(now)
                    remove(task, at)
                }
            }
        }
    }

    /// Seconds, rounded to parts of 2^-20, whose sums below centuries are exact, so that no order of adding
    /// matters.
    private static func whole(_ seconds: Double) -> Double { (seconds * 0x1p20).rounded() / 0x1p20 }

    private mutating func remove(_ task: TaskID, _ at: Int) {
        racing[task]?.remove(at: at)
        if racing[task]?.isEmpty == true { racing[task] = nil }
    }

    /// The lowest task of which no claimant gets on, and that `thief` may run.
    func rescue(
        for thief: NodeID, _ claims: Claims, _ plan: JobPlan, _ model: CostModel, allowed: TaskSet,
        now: Instant
    ) -> TaskID? {
        var stuck: [TaskID: Int] = [:]
        for (_, node) in claims.nodes.sorted(by: { $0.key < $1.key }) {
            let rate = node.secondsPerCost > 0 ? node.secondsPerCost : model.secondsPerCost
            for (task, work) in node.running {
                let predicted = Span.seconds(min(plan.cost(task) * rate, 1e6))
                if now - work.changed >= max(Self.stuckAtLeast, predicted * Self.stuckFactor) {
                    stuck[task, default: 0] += 1
                }
            }
        }
        return stuck.keys.sorted().first { task in
            claims.open.contains(task) && allowed.contains(task)
                && stuck[task] == claims.claimants(of: task).count
                && !claims.claimants(of: task).contains(thief)
        }
    }

    /// The running task that `thief` would bring forward the most, within the budget.
    func speculation(
        for thief: NodeID, secondsPerCost: Double, _ claims: Claims, _ plan: JobPlan, _ model: CostModel,
        allowed: TaskSet, view: PeerView, now: Instant
    ) -> TaskID? {
        var best: (task: TaskID, gain: Double)?
        let mine = secondsPerCost > 0 ? secondsPerCost : model.secondsPerCost
        for (id, node) in claims.nodes.sorted(by: { $0.key < $1.key }) where id != thief {
            let rate = node.secondsPerCost > 0 ? node.secondsPerCost : model.secondsPerCost
            for (task, work) in node.running.sorted(by: { $0.key < $1.key }) {
                let elapsed = (now - work.since).seconds
                let left = max(plan.cost(task) * rate - elapsed, elapsed * 0.5)
                let copy = plan.cost(task) * mine
                guard left > copy * Self.gainFactor, isAffordable(copy, now) else { continue }
                guard claims.open.contains(task), allowed.contains(task) else { continue }
                let claimants = claims.claimants(of: task)
                let racers = racers(of: task).filter(view.isAlive)
                guard !claimants.contains(thief), !racers.contains(thief) else { continue }
                guard
                    claimants.count <= Self.mostOfATask && racers.count < Self.mostOfATask
                        || fault == .tooManyCopies
                else { continue }
                if left - copy > best?.gain ?? 0 { best = (task, left - copy) }
            }
        }
        return best?.task
    }

    /// A rescue copy was granted.
    mutating func rescued(_ task: TaskID) { rescued.insert(task) }

    /// A speculative copy was granted.
    mutating func speculated(_ task: TaskID, on node: NodeID, predicted: Double, now: Instant) {
        let racer = Racer(node: node, granted: now, predicted: Self.whole(predicted), isFree: count == 0)
        racing[task, default: []].append(racer)
        raced.insert(task)
        count += 1
    }

    /// One is always allowed; more only within the share.
    private func isAffordable(_ seconds: Double, _ now: Instant) -> Bool {
        if fault == .speculationUncapped || fault == .tooManyCopies { return true }
        return count == 0 || spent(now: now) + seconds <= Self.share * jobSeconds
    }
}
