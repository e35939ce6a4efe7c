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

    private var speculated: [TaskID: [NodeID]] = [:]
    private var count = 0
    /// Seconds charged to speculation, by prediction.
    public private(set) var spent = 0.0
    /// Tasks that ever had a rescue copy, and those that ever had a speculative one.
    public private(set) var rescued = TaskSet()
    public private(set) var raced = TaskSet()
    /// Seconds of CPU that the job took so far.
    public private(set) var jobSeconds = 0.0

    init() {}

    /// A task took this long somewhere.
    mutating func measured(_ took: Span) { jobSeconds += max(0, took.seconds) }

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
                guard left > copy * Self.gainFactor, isAffordable(copy) else { continue }
                guard claims.open.contains(task), allowed.contains(task) else { continue }
                let claimants = claims.claimants(of: task)
                let racing = speculated[task, default: []].filter(view.isAlive)
                guard !claimants.contains(thief), claimants.count <= Self.mostOfATask,
                    racing.count < Self.mostOfATask, !racing.contains(thief)
                else { continue }
                if left - copy > best?.gain ?? 0 { best = (task, left - copy) }
            }
        }
        return best?.task
    }

    /// A rescue copy was granted.
    mutating func rescued(_ task: TaskID) { rescued.insert(task) }

    /// A speculative copy was granted.
    mutating func speculated(_ task: TaskID, on node: NodeID, predicted: Double) {
        speculated[task, default: []].append(node)
        count += 1
        raced.insert(task)
        spent += predicted
    }

    /// The task is over: its copies count no more as running.
    mutating func ended(_ task: TaskID) { speculated[task] = nil }

    /// One is always allowed; more only within the share.
    private func isAffordable(_ seconds: Double) -> Bool {
        count == 0 || spent + seconds <= Self.share * jobSeconds
    }
}
