import Cluster

/// How the first job of a run went: the answer to "how long would this take there?".
public struct JobOutcome: Sendable {
    /// From the submission to the published outputs; nil: not within the time that was given.
    public var makespan: Span?
    /// From the first start of a task to the last result.
    public var computing: Span?
    /// Core seconds at speed 1 of all tasks, each counted once.
    public var work = 0.0
    /// Cores times speed, over all machines.
    public var speed = 0.0
    /// The longest task, on the fastest core.
    public var longestTask = Span.zero
    public var tasks = 0
    public var taskRuns = 0
    public var steals = 0
    /// Core seconds at speed 1 that gave no new result: on tasks with a rescue copy, on tasks with a
    /// speculative copy, and on others.
    public var wastedByRescue = 0.0
    public var wastedBySpeculation = 0.0
    public var wastedOtherwise = 0.0
    /// Seconds from running dry to each grant.
    public var waits: [Double] = []
    /// Bytes of job data that each machine sent and received, and of control traffic that it sent.
    public var sent: [Double] = []
    public var received: [Double] = []
    public var control: [Double] = []
    /// Tasks without a result at the end.
    public var lostTasks = 0
    public var falseDeaths = 0
    public var detections: [(kind: String, span: Span)] = []
    public var violation: Violation?
    public var events = 0

    public init() {}

    /// Total work ÷ (speed × time), of the phase in which tasks are computed (PROTOCOL section 8).
    public var efficiency: Double {
        guard let computing, computing > .zero, speed > 0 else { return 0 }
        return work / (speed * computing.seconds)
    }

    /// The same of the whole makespan: acknowledging, planning and assembling count too.
    public var wholeEfficiency: Double {
        guard let makespan, makespan > .zero, speed > 0 else { return 0 }
        return work / (speed * makespan.seconds)
    }

    /// No schedule is more efficient: the longest task has to run somewhere, on the fastest core.
    public var efficiencyBound: Double {
        let ideal = work / speed
        return ideal > 0 ? ideal / max(ideal, longestTask.seconds) : 1
    }

    /// Shares of all the work that was done twice.
    public var rescueShare: Double { wastedByRescue / max(work, 1e-9) }
    /// Of copies that were not rescues, and of what two nodes did by mistake.
    public var duplicateShare: Double { (wastedBySpeculation + wastedOtherwise) / max(work, 1e-9) }
}

extension Simulation {
    /// Runs until the first job is published, or `limit` after its submission.
    public static func runJob(_ options: Options, limit: Span) -> JobOutcome {
        let simulation = Simulation(options)
        simulation.strike()
        return simulation.finishJob(limit: limit)
    }

    /// Runs on to the end of the first job.
    func finishJob(limit: Span) -> JobOutcome {
        guard let job = options.jobs.first else { return JobOutcome() }
        let end = (job.at + limit).nanoseconds
        let id = Workload.id(0)
        while world.checks.violation == nil, world.checks.completedAt[id] == nil, world.time < end {
            world.run(until: min(end, world.time + 500_000_000))
        }
        return outcome(of: id, job)
    }

    private func outcome(of id: JobID, _ job: Workload) -> JobOutcome {
        var outcome = JobOutcome()
        let meter = world.meter
        outcome.work = job.tasks.reduce(0) { $0 + $1.seconds }
        outcome.tasks = job.tasks.count
        let speeds = (0..<options.nodes).map { options.speed(of: $0) }
        outcome.speed = speeds.reduce(0, +) * Double(min(options.cores, options.slots))
        let longest = job.tasks.map(\.seconds).max() ?? 0
        outcome.longestTask = .seconds(longest / (speeds.max() ?? 1))
        outcome.makespan = world.checks.completedAt[id].map { Span(nanoseconds: $0) - job.at }
        if let facts = meter.jobs[id], let computed = facts.computed {
            outcome.computing = Span(nanoseconds: computed - facts.running)
        }
        outcome.taskRuns = world.checks.taskRuns
        outcome.steals = meter.steals
        outcome.wastedByRescue = meter.wasted[.rescue] ?? 0
        outcome.wastedBySpeculation = meter.wasted[.speculation] ?? 0
        outcome.wastedOtherwise = meter.wasted[.other] ?? 0
        outcome.waits = meter.waits
        outcome.sent = world.bulk.ports.map(\.sent)
        outcome.received = world.bulk.ports.map(\.received)
        outcome.control = world.machines.map { Double($0.datagramBytes + $0.frameBytes) }
        outcome.lostTasks = outcome.makespan == nil ? meter.jobs[id]?.left ?? job.tasks.count : 0
        let report = report()
        (outcome.falseDeaths, outcome.detections) = (report.falseDeaths, report.detections)
        (outcome.violation, outcome.events) = (report.violation, report.events)
        return outcome
    }
}
