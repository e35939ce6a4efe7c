// What a node keeps of a job beside the header: the plan, results that it knows, blobs that it holds, and
// what of it the present coordinator has confirmed to know (PROTOCOL 3).

/// One node's part of one job's record.
struct JobRecord: Sendable {
    static let reportEvery = Span.seconds(1)

    /// A header on our disk, with its request and plan.
    struct Stored: Equatable, Sendable {
        let term: Term
        let revision: UInt32
    }

    /// The newest header that is on disk, if this node keeps the record.
    var stored: Stored?
    /// The newest header that is on its way there.
    var storing: Stored?
    /// Who else may have its content, if the one that was asked first has not.
    var sources: [NodeID] = []
    /// The plan's content.
    var plan: JobPlan?
    /// Task → digest, as a keeper or as a coordinator of an earlier term.
    var done: DoneLog?
    /// Blobs on this node's disk.
    var holdings: Holdings?
    /// Blobs are pinned for this plan.
    var pinned: Digest?
    /// Outputs on this node's disk.
    var outputs: Digest?
    /// The term whose coordinator was told, what of it it confirmed, and when to tell it again.
    private(set) var reportedTo: Term?
    var knowsSeen = false
    var holdingsSeen = false
    private(set) var reportAt: Instant?

    /// Another coordinator has to be told everything. False: it is the one that we know.
    @discardableResult
    mutating func coordinatorChanged(_ term: Term, now: Instant) -> Bool {
        guard reportedTo != term else { return false }
        reportedTo = term
        (knowsSeen, holdingsSeen) = (false, false)
        reportAt = now
        return true
    }

    /// There is something new to tell.
    mutating func changed(now: Instant) {
        holdingsSeen = false
        reportAt = now
    }

    /// The plan of the job's present run is known: results and blobs of another one say nothing about it.
    mutating func adopt(_ plan: JobPlan) {
        self.plan = plan
        if done?.plan != plan.digest { done = nil }
        if holdings?.plan != plan.digest { holdings = nil }
    }

    /// Facts that another node knows.
    mutating func unite(_ results: [TaskResult], of plan: JobPlan) -> (
        new: [TaskResult], conflicts: [TaskResult]
    ) {
        if done?.plan != plan.digest { done = DoneLog(plan: plan.digest, count: plan.count) }
        return done?.unite(results) ?? ([], [])
    }

    /// A blob is on our disk.
    mutating func hold(_ result: TaskResult, plan: Digest) {
        if holdings?.plan != plan { holdings = Holdings(plan: plan) }
        holdings?.add(result)
    }

    /// What the coordinator has to be told now, until it confirms.
    mutating func report(_ header: JobHeader, start: UInt64, now: Instant) -> [JobMessage.Body] {
        guard let due = reportAt, due <= now else { return [] }
        guard header.isLive, let plan = header.reign.plan else {
            reportAt = nil
            return []
        }
        var bodies: [JobMessage.Body] = []
        if !knowsSeen, let done, done.plan == plan, !done.done.isEmpty {
            bodies.append(.knows(plan: plan, done.done, checksum: done.checksum(of: done.done)))
        }
        let held = holdings.flatMap { $0.plan == plan ? $0 : nil }
        if !holdingsSeen, held != nil || header.term.counter > 1 {
            bodies.append(
                .holdings(plan: plan, held?.held ?? TaskSet(), start: start, sequence: held?.sequence ?? 0))
        }
        reportAt = bodies.isEmpty ? nil : now + Self.reportEvery
        return bodies
    }

    /// When `report` has something to say.
    var nextDeadline: Instant? { reportAt }
}
