// What one node owns of one job: a queue, what runs, what it gave away a moment ago, and what it finished
// without the coordinator having confirmed. A heartbeat is a copy of exactly this (PROTOCOL 4).

/// A node's share of one run of a job.
public struct Share: Sendable {
    static let gaveFor = Span.seconds(2)
    /// A task that does not get on for so long, and for so many times its predicted time, hangs.
    static let hangsAfter = Span.seconds(120)
    static let hangsFactor = 20.0

    /// A running task, as its own node sees it.
    struct Running: Equatable, Sendable {
        let since: Instant
        /// When it last got on.
        var changed: Instant
        var progress: UInt32 = 0
        let isCopy: Bool
        /// It was taken for being dear.
        let isDear: Bool
    }

    /// What was given away, and when.
    private struct Given: Equatable, Sendable {
        let transfer: Transfer
        let at: Instant
    }

    let job: JobID
    /// Whose share it is.
    let owner: NodeID
    let run: RunID
    let digest: Digest
    /// Known a moment after the first grant; nothing starts before.
    private(set) var plan: JobPlan?
    /// Not started.
    private(set) var queue = TaskSet()
    private(set) var running: [TaskID: Running] = [:]
    private(set) var unconfirmed: [TaskID: Digest] = [:]
    private(set) var model = CostModel()
    private var isolated = TaskSet()
    private var copies: [TaskID] = []
    private var gave: [Given] = []
    /// The order of the queue, the dearest task last, copies after all; tasks that left the queue are
    /// skipped.
    private var order: ArraySlice<TaskID> = []
    private var isNextDear = true
    var isSaturated = false

    init(job: JobID, of owner: NodeID, run: RunID, plan digest: Digest, known plan: JobPlan?) {
        (self.job, self.owner, self.run, self.digest, self.plan) = (job, owner, run, digest, plan)
    }

    /// The inputs are on this node's own disk.
    private var holdsInputs: Bool { plan?.inputHolders.contains(owner) == true }

    /// All that the next heartbeat has to list.
    var owned: TaskSet { queue.union(TaskSet(running.keys)).union(TaskSet(unconfirmed.keys)) }

    /// Nothing is owned, so nothing is to be told.
    var isEmpty: Bool { queue.isEmpty && running.isEmpty && unconfirmed.isEmpty }

    /// The memory that the running tasks need.
    var memory: Int { running.keys.reduce(0) { $0 + (plan?.tasks[$1.index].memory ?? 0) } }

    /// The plan's content arrived: tasks it does not have were never ours.
    mutating func planKnown(_ plan: JobPlan) {
        guard plan.digest == digest, self.plan == nil else { return }
        self.plan = plan
        queue = queue.intersection(plan.all)
        order = dearestLast(queue)[...]
    }

    /// Tasks were granted. Those whose blob is here are not computed again but told; the rest is queued.
    mutating func granted(_ grant: Grant, held: Holdings?) {
        if grant.secondsPerCost > 0 { model.adopt(secondsPerCost: grant.secondsPerCost) }
        let here = held.map { grant.tasks.intersection($0.held) } ?? TaskSet()
        for task in here.tasks { unconfirmed[task] = held?[task] }
        var new = grant.tasks.subtracting(here).subtracting(owned)
        if let plan { new = new.intersection(plan.all) }
        guard !new.isEmpty else { return }
        isolated = isolated.union(grant.isolated.intersection(new))
        queue = queue.union(new)
        // What was a copy before, and was taken back, is what this grant says.
        copies.removeAll { new.contains($0) }
        if grant.areCopies { copies += new.tasks }
        let racing = order.filter { copies.contains($0) && !new.contains($0) }
        order = (dearestLast(queue.subtracting(TaskSet(copies))) + racing)[...]
        if grant.areCopies { order += dearestLast(new) }
    }

    /// The next task, if `fits`: copies first, then the dearest, for a dear task that starts late is what a
    /// whole job waits for; but in the last of three or more slots the cheapest. Dear tasks keep the cores
    /// busy while the link brings the inputs of cheap ones; all dear ones first would use one and then the
    /// other. Where the link is full with inputs from here, and some tasks compute longer for their bytes
    /// than others, cheap ones are what spares it most: then they go first in every slot but one.
    mutating func next(slots: Int, fits: (PlannedTask) -> Bool) -> TaskID? {
        guard let plan else { return nil }
        while let last = order.last, !queue.contains(last) { order.removeLast() }
        while let first = order.first, !queue.contains(first) { order.removeFirst() }
        guard let dearest = order.last, let cheapest = order.first else { return nil }
        let dear = running.values.count { $0.isDear }
        let areAlike = plan.weights.count < 2
        let dearSlots = isSaturated && holdsInputs && !areAlike ? 1 : slots < 3 ? slots : slots - 1
        isNextDear = copies.contains(dearest) || dear < dearSlots
        let task = isNextDear ? dearest : cheapest
        guard fits(plan.tasks[task.index]) else { return nil }
        if isNextDear { order.removeLast() } else { order.removeFirst() }
        return task
    }

    /// The task starts now. True: in a child process.
    mutating func start(_ task: TaskID, now: Instant) -> Bool {
        precondition(queue.contains(task), "\(job) starts \(task), which is not queued: \(queue)")
        queue.remove(task)
        running[task] = Running(
            since: now, changed: now, isCopy: copies.contains(task), isDear: isNextDear)
        return isolated.contains(task)
    }

    mutating func progressed(_ task: TaskID, to progress: UInt32, now: Instant) {
        guard var work = running[task], work.progress != progress else { return }
        (work.progress, work.changed) = (progress, now)
        running[task] = work
    }

    /// When the first running task counts as hanging.
    var hangs: Instant? { running.map { $0.value.changed + patience(with: $0.key) }.min() }

    /// The tasks that hang.
    func hanging(now: Instant) -> [TaskID] {
        running.filter { $0.value.changed + patience(with: $0.key) <= now }.keys.sorted()
    }

    private func patience(with task: TaskID) -> Span {
        max(Self.hangsAfter, model.time(for: plan?.cost(task) ?? 0) * Self.hangsFactor)
    }

    /// Our own stall is no time in which a task could have got on.
    mutating func stalled(_ length: Span) {
        running = running.mapValues { work in
            var work = work
            work.changed = work.changed + length
            return work
        }
    }

    /// A result, perhaps of a task that was stopped a moment ago: it is a fact all the same. The time it
    /// took, if it ran.
    mutating func finished(_ result: TaskResult, now: Instant) -> Span? {
        queue.remove(result.task)
        copies.removeAll { $0 == result.task }
        unconfirmed[result.task] = result.digest
        guard let work = running.removeValue(forKey: result.task) else { return nil }
        let took = now - work.since
        if let plan { model.learn(predicted: plan.cost(result.task), took: took) }
        return took
    }

    /// The task is not ours any more: failed, or without room for its result.
    mutating func lose(_ task: TaskID) {
        queue.remove(task)
        running[task] = nil
        copies.removeAll { $0 == task }
    }

    /// The blob of a finished task is gone: it is no result any more.
    mutating func lostBlob(_ task: TaskID) { unconfirmed[task] = nil }

    /// Everything that has not started goes back: there is no room here.
    mutating func loseQueue() { queue = TaskSet() }

    /// The coordinator's answer. Returns the running tasks that have to stop.
    mutating func replied(_ reply: HeartbeatReply) -> [TaskID] {
        queue = queue.subtracting(reply.over).subtracting(reply.elsewhere)
        for task in unconfirmed.keys where reply.over.contains(task) { unconfirmed[task] = nil }
        let stopped = running.keys.filter(reply.over.contains).sorted()
        for task in stopped { lose(task) }
        return stopped
    }

    /// A thief asks; what it gets leaves the queue in the same step.
    mutating func asked(
        _ ask: AskForWork, by thief: NodeID, slots: Int, over link: LinkMeasure, now: Instant
    ) -> TaskSet {
        guard let plan else { return TaskSet() }
        if gave.contains(where: { $0.transfer.request == ask.request && $0.transfer.thief == thief }) {
            return TaskSet()
        }
        guard gave.filter({ now - $0.at <= Self.gaveFor }).count < Heartbeat.transferLimit else {
            return TaskSet()
        }
        let left = running.sorted { $0.key < $1.key }.reduce(0.0) { sum, item in
            sum + Victim.left(of: plan.cost(item.key), after: now - item.value.since, model.secondsPerCost)
        }
        var load = Victim.Load(
            queue: queue.subtracting(TaskSet(copies)), runningCost: left, slots: slots, model: model,
            isSaturated: isSaturated)
        load.holdsInputs = holdsInputs
        let given = Victim.give(ask, from: load, of: plan, over: link)
        guard !given.isEmpty else { return given }
        queue = queue.subtracting(given)
        let transfer = Transfer(request: ask.request, thief: thief, tasks: given)
        gave.append(Given(transfer: transfer, at: now))
        return given
    }

    /// Tasks among `tasks` that have to run in a child process.
    func isolated(of tasks: TaskSet) -> TaskSet { isolated.intersection(tasks) }

    /// What the coordinator has to know now.
    mutating func heartbeat(start: UInt64, sequence: UInt64, holdSequence: UInt64, now: Instant) -> Heartbeat
    {
        gave.removeAll { now - $0.at > Self.gaveFor }
        let results = unconfirmed.sorted { $0.key < $1.key }.prefix(Heartbeat.resultLimit)
        let work = running.sorted { $0.key < $1.key }.prefix(Heartbeat.runningLimit)
        return Heartbeat(
            start: start, sequence: sequence, owned: owned,
            running: work.map {
                RunningTask(task: $0.key, progress: $0.value.progress, isCopy: $0.value.isCopy)
            },
            gave: gave.map(\.transfer),
            unconfirmed: results.map { TaskResult(task: $0.key, digest: $0.value) },
            holdSequence: holdSequence,
            secondsPerCost: model.measured > 0 ? model.secondsPerCost : 0, isSaturated: isSaturated)
    }

    /// By cost where it matters, else along the curve, the first of it last: neighbours share source blocks,
    /// and the cache holds those of a few. Costs are alike when they halve that of the dearest equally often.
    private func dearestLast(_ set: TaskSet) -> [TaskID] {
        let tasks = set.tasks
        guard let plan, let most = tasks.map({ plan.cost($0) }).max(), most > 0 else {
            return tasks.reversed()
        }
        let ranked = tasks.map { (cheapness: (most / plan.cost($0)).exponent, task: $0) }
        return ranked.sorted { ($1.cheapness, $1.task) < ($0.cheapness, $0.task) }.map(\.task)
    }
}
