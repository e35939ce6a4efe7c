// What nodes tell each other about work. All of it may be lost, doubled, late or reordered: a heartbeat says
// everything that a node owns, so the next one heals whatever the last one missed (PROTOCOL 4).

/// One task at work.
public struct RunningTask: Hashable, Sendable {
    /// Which.
    public let task: TaskID
    /// Anything that grows while it gets on: rows, bytes. Only change matters.
    public let progress: UInt32
    /// It is a copy: a second one on purpose.
    public let isCopy: Bool

    /// `task`, this far.
    public init(task: TaskID, progress: UInt32, isCopy: Bool) {
        self.task = task
        self.progress = progress
        self.isCopy = isCopy
    }
}

/// What a victim gave away since its last heartbeats: the thief has it, or it is lost with the grant.
public struct Transfer: Hashable, Sendable {
    /// The thief's number of the request.
    public let request: UInt64
    /// The thief.
    public let thief: NodeID
    /// What it was given.
    public let tasks: TaskSet

    /// `tasks` went to `thief` in answer to `request`.
    public init(request: UInt64, thief: NodeID, tasks: TaskSet) {
        self.request = request
        self.thief = thief
        self.tasks = tasks
    }
}

/// What a node owns of a job; each second, and at once after a change of hands.
public struct Heartbeat: Hashable, Sendable {
    /// The sender's start id.
    public var start: UInt64
    /// Grows with each heartbeat of the start; older ones are dropped.
    public var sequence: UInt64
    /// All that it owns and has not finished, or finished without the coordinator's confirmation.
    public var owned: TaskSet
    /// What of it runs.
    public var running: [RunningTask]
    /// What it gave away within the last two seconds.
    public var gave: [Transfer]
    /// Results that the coordinator has not confirmed, at most `resultLimit`.
    public var unconfirmed: [TaskResult]
    /// The number of its last change of held blobs.
    public var holdSequence: UInt64
    /// Measured seconds a unit of predicted cost; 0 before the first measurement.
    public var secondsPerCost: Double
    /// Its link is full: it gives nothing away.
    public var isSaturated: Bool

    /// The most unconfirmed results in one heartbeat.
    public static let resultLimit = 500
    /// The most transfers in one heartbeat.
    public static let transferLimit = 64
    /// The most running tasks in one heartbeat.
    public static let runningLimit = 1024

    /// A heartbeat with these contents.
    public init(
        start: UInt64, sequence: UInt64, owned: TaskSet, running: [RunningTask] = [], gave: [Transfer] = [],
        unconfirmed: [TaskResult] = [], holdSequence: UInt64 = 0, secondsPerCost: Double = 0,
        isSaturated: Bool = false
    ) {
        self.start = start
        self.sequence = sequence
        self.owned = owned
        self.running = running
        self.gave = gave
        self.unconfirmed = unconfirmed
        self.holdSequence = holdSequence
        self.secondsPerCost = secondsPerCost
        self.isSaturated = isSaturated
    }

    /// Nil, or why a peer's heartbeat about a plan of `count` tasks is refused (S11).
    public func flaw(count: Int) -> String? {
        if owned.upper > count { return "owns task \(owned.upper - 1) of \(count)" }
        if running.count > Self.runningLimit { return "runs \(running.count) tasks" }
        if running.contains(where: { !owned.contains($0.task) }) { return "runs a task that it does not own" }
        if gave.count > Self.transferLimit || gave.contains(where: { $0.tasks.upper > count }) {
            return "gave away what cannot be"
        }
        if unconfirmed.count > Self.resultLimit { return "\(unconfirmed.count) results in one heartbeat" }
        if unconfirmed.contains(where: { $0.task.index < 0 || $0.task.index >= count }) {
            return "no such task"
        }
        return secondsPerCost.isFinite && secondsPerCost >= 0 ? nil : "impossible speed"
    }
}

/// The coordinator's answer to a heartbeat.
public struct HeartbeatReply: Hashable, Sendable {
    /// The sequence of the heartbeat that is answered.
    public var sequence: UInt64
    /// Listed tasks that are done or given up: forget them, stop them if they run.
    public var over: TaskSet
    /// Listed tasks that another node keeps: drop those that have not started.
    public var elsewhere: TaskSet
    /// The coordinator misses a report of the blobs that the node holds.
    public var wantsHoldings: Bool

    /// An answer with these contents.
    public init(sequence: UInt64, over: TaskSet, elsewhere: TaskSet, wantsHoldings: Bool) {
        self.sequence = sequence
        self.over = over
        self.elsewhere = elsewhere
        self.wantsHoldings = wantsHoldings
    }
}

/// Tasks that go to a node, from the coordinator or from a victim.
public struct Grant: Hashable, Sendable {
    /// The plan that the tasks belong to.
    public var plan: Digest
    /// The number of the thief's request; nil: an offer that nobody asked for.
    public var request: UInt64?
    /// What.
    public var tasks: TaskSet
    /// Copies of what others run: start them at once or not at all.
    public var areCopies: Bool
    /// Those that have to run in a child process.
    public var isolated: TaskSet
    /// The granter's seconds a unit of cost, for a node that has not measured any; 0: unknown.
    public var secondsPerCost: Double

    /// A grant with these contents.
    public init(
        plan: Digest, request: UInt64?, tasks: TaskSet, areCopies: Bool = false,
        isolated: TaskSet = TaskSet(),
        secondsPerCost: Double = 0
    ) {
        self.plan = plan
        self.request = request
        self.tasks = tasks
        self.areCopies = areCopies
        self.isolated = isolated
        self.secondsPerCost = secondsPerCost
    }
}

/// A thief's question, to the coordinator or to a victim.
public struct AskForWork: Hashable, Sendable {
    /// Unique within the thief's start.
    public var request: UInt64
    /// The thief's start id.
    public var start: UInt64
    /// How many tasks it could start now.
    public var idleSlots: Int
    /// Bytes that one task may need there.
    public var memory: Int
    /// Its measured seconds a unit of predicted cost; 0 before the first measurement.
    public var secondsPerCost: Double
    /// It holds the job's inputs, so that nothing is to be transferred but results.
    public var holdsInputs: Bool
    /// What a transfer to it gets beside others, bytes a second; 0: not measured.
    public var bytesPerSecond: Double

    /// A question with these contents.
    public init(
        request: UInt64, start: UInt64, idleSlots: Int, memory: Int = .max, secondsPerCost: Double = 0,
        holdsInputs: Bool = false, bytesPerSecond: Double = 0
    ) {
        self.request = request
        self.start = start
        self.idleSlots = idleSlots
        self.memory = memory
        self.secondsPerCost = secondsPerCost
        self.holdsInputs = holdsInputs
        self.bytesPerSecond = bytesPerSecond
    }
}
