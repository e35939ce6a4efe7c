// The part of a node that computes: it fills its slots from its shares of all jobs, as far as memory goes,
// and tells the coordinators every second what it owns (PROTOCOL 4).

/// One node's slots, memory and shares.
public struct Worker: Sendable {
    static let heartbeatEvery = Span.seconds(1)

    /// What the node has to do.
    public enum Action: Equatable, Sendable {
        /// Run this task; `isolated`: in a child process, because its process died with it twice.
        case start(JobID, TaskID, plan: Digest, isolated: Bool)
        /// Stop this task if it still runs.
        case stop(JobID, TaskID)
        /// Tell the coordinator that this task failed here.
        case failed(JobID, TaskID, plan: Digest, reason: String)
        /// Send the coordinator of this job a heartbeat now.
        case beat(JobID)
        /// Get the plan's content.
        case fetchPlan(JobID, Digest)
    }

    private let me: NodeID
    private(set) var shares: [JobID: Share] = [:]
    private var slots: Int
    private var memory: Int
    private var hasRoom = true
    private var isSaturated = false
    private var sequence: UInt64 = 0
    private var beatAt: [JobID: Instant] = [:]
    /// Tasks that earlier processes of this node died of, by plan.
    private var deadly: [Digest: TaskSet] = [:]

    /// A node's worker, with this many slots and bytes for tasks.
    public init(of me: NodeID, slots: Int, memory: Int) {
        (self.me, self.slots, self.memory) = (me, max(0, slots), max(0, memory))
    }

    /// When the next heartbeat is due, or a task has hung for too long.
    public var nextDeadline: Instant? { (Array(beatAt.values) + shares.values.compactMap(\.hangs)).min() }

    /// Slots without a task.
    public var idleSlots: Int { max(0, slots - shares.values.reduce(0) { $0 + $1.running.count }) }

    /// A slot is free, and no share has a task that could start there or waits for its plan.
    public var isDry: Bool { hasRoom && idleSlots > 0 && shares.values.allSatisfy { $0.queue.isEmpty } }

    /// What is owned of a job.
    public func owned(of job: JobID) -> TaskSet { shares[job]?.owned ?? TaskSet() }

    /// The measured speed for a job, 0 before the first measurement.
    func secondsPerCost(of job: JobID) -> Double {
        guard let model = shares[job]?.model, model.measured > 0 else { return 0 }
        return model.secondsPerCost
    }

    // MARK: Events

    /// Tasks for us. A later run replaces the share of an earlier one; an earlier one is not obeyed.
    mutating func granted(
        _ grant: Grant, of job: JobID, run: RunID, plan: JobPlan?, held: Holdings?, now: Instant
    ) -> [Action] {
        var actions: [Action] = []
        if let share = shares[job], share.run != run || share.digest != grant.plan {
            guard share.run < run || (share.run == run && share.isEmpty) else { return [] }
            actions += end(job)
        }
        guard hasRoom, !grant.areCopies || idleSlots > 0 else { return actions }
        let isNew = shares[job] == nil
        var share = shares[job] ?? Share(job: job, of: me, run: run, plan: grant.plan, known: plan)
        var grant = grant
        if let deadly = deadly[grant.plan] {
            grant.isolated = grant.isolated.union(deadly.intersection(grant.tasks))
        }
        share.isSaturated = isSaturated
        share.granted(grant, held: held)
        shares[job] = share
        if isNew, plan == nil { actions.append(.fetchPlan(job, grant.plan)) }
        return actions + fill(now) + beat(job, now)
    }

    /// A plan's content arrived.
    mutating func planKnown(_ plan: JobPlan, now: Instant) -> [Action] {
        for job in shares.keys.sorted() { shares[job]?.planKnown(plan) }
        return fill(now)
    }

    /// A running task got on.
    mutating func progressed(_ task: TaskID, of job: JobID, to progress: UInt32, now: Instant) {
        shares[job]?.progressed(task, to: progress, now: now)
    }

    /// A result. Returns the time it took, if it was still ours.
    mutating func finished(_ result: TaskResult, of job: JobID, now: Instant) -> (
        took: Span?, actions: [Action]
    ) {
        let took = shares[job]?.finished(result, now: now)
        return (took ?? nil, fill(now))
    }

    /// A task failed here, or its result found no room.
    mutating func failed(_ task: TaskID, of job: JobID, now: Instant) -> [Action] {
        shares[job]?.lose(task)
        return fill(now) + beat(job, now)
    }

    /// Whoever grants these: here they run in a child process.
    mutating func isolate(_ tasks: TaskSet, of plan: Digest) {
        if !tasks.isEmpty { deadly[plan] = tasks }
    }

    /// The blob of a finished task is gone here.
    mutating func lostBlob(_ task: TaskID, of job: JobID, plan: Digest) {
        if shares[job]?.digest == plan { shares[job]?.lostBlob(task) }
    }

    /// The coordinator answered.
    mutating func replied(_ reply: HeartbeatReply, of job: JobID, now: Instant) -> [Action] {
        let stopped = shares[job]?.replied(reply) ?? []
        if shares[job]?.isEmpty == true { beatAt[job] = nil }
        return stopped.map { .stop(job, $0) } + fill(now)
    }

    /// A thief asks for work of `job`. Empty: nothing for it.
    mutating func asked(
        _ ask: AskForWork, of job: JobID, by thief: NodeID, over link: LinkMeasure, now: Instant
    ) -> (given: TaskSet, actions: [Action]) {
        let given = shares[job]?.asked(ask, by: thief, slots: slots, over: link, now: now) ?? TaskSet()
        return (given, given.isEmpty ? [] : beat(job, now))
    }

    /// The job ended, or another run of it began.
    mutating func end(_ job: JobID) -> [Action] {
        beatAt[job] = nil
        return shares.removeValue(forKey: job)?.running.keys.sorted().map { .stop(job, $0) } ?? []
    }

    /// Another coordinator: tell it what we own, at once.
    mutating func coordinatorChanged(_ job: JobID, now: Instant) -> [Action] {
        shares[job]?.isEmpty == false ? beat(job, now) : []
    }

    /// The shell measured that our link is full, or not any more.
    mutating func saturated(_ isSaturated: Bool) {
        self.isSaturated = isSaturated
        for job in shares.keys.sorted() { shares[job]?.isSaturated = isSaturated }
    }

    /// The configuration or the disk changed. Without room nothing is claimed that has not started.
    mutating func resized(slots: Int, memory: Int, hasRoom: Bool, now: Instant) -> [Action] {
        let lostRoom = self.hasRoom && !hasRoom
        (self.slots, self.memory, self.hasRoom) = (max(0, slots), max(0, memory), hasRoom)
        guard lostRoom else { return fill(now) }
        for job in shares.keys.sorted() { shares[job]?.loseQueue() }
        return shares.keys.sorted().flatMap { beat($0, now) }
    }

    /// Heartbeats that are due. A task that hangs is stopped and counts as failed here: elsewhere it runs as
    /// a copy by now, and a task that hangs everywhere must not keep its job from ending.
    mutating func advance(now: Instant) -> [Action] {
        var actions: [Action] = []
        for job in shares.keys.sorted() {
            guard let share = shares[job], let due = share.hangs, due <= now else { continue }
            for task in share.hanging(now: now) {
                shares[job]?.lose(task)
                let reason = "it did not get on for \(Int(Share.hangsAfter.seconds)) s and more"
                actions += [.stop(job, task), .failed(job, task, plan: share.digest, reason: reason)]
            }
            actions += fill(now) + beat(job, now)
        }
        let due = beatAt.filter { $0.value <= now }.keys.sorted()
        return actions + due.flatMap { beat($0, now) }
    }

    /// Our own stall is no task's fault.
    mutating func stalled(_ length: Span) {
        for job in shares.keys.sorted() { shares[job]?.stalled(length) }
    }

    /// The heartbeat that `.beat` asks for.
    mutating func heartbeat(of job: JobID, start: UInt64, holdSequence: UInt64, now: Instant) -> Heartbeat? {
        sequence += 1
        return shares[job]?.heartbeat(start: start, sequence: sequence, holdSequence: holdSequence, now: now)
    }

    // MARK: Helpers

    /// Starts what slots and memory allow; the job with the fewest running tasks goes first. A task that
    /// needs more than what is free waits until others are done; alone it always starts.
    private mutating func fill(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        var blocked: Set<JobID> = []
        while idleSlots > 0 {
            let candidates = shares.values.filter { !$0.queue.isEmpty && !blocked.contains($0.job) }
            guard
                let job = candidates.min(by: { ($0.running.count, $0.job) < ($1.running.count, $1.job) })?.job
            else { break }
            let used = shares.values.reduce(0) { $0 + $1.memory }
            let limit = memory
            guard let task = shares[job]?.next(slots: slots, fits: { used == 0 || $0.memory <= limit - used })
            else {
                blocked.insert(job)
                continue
            }
            guard let digest = shares[job]?.digest, let isolated = shares[job]?.start(task, now: now) else {
                break
            }
            actions.append(.start(job, task, plan: digest, isolated: isolated))
        }
        return actions
    }

    private mutating func beat(_ job: JobID, _ now: Instant) -> [Action] {
        guard let share = shares[job] else { return [] }
        beatAt[job] = share.isEmpty ? nil : now + Self.heartbeatEvery
        return [.beat(job)]
    }
}
