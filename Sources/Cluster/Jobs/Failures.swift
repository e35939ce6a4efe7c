// What to do with a task that did not work out. An input that cannot be reached is waited for; any other
// error is tried on other nodes, and when three of them (or all that live) agree, and with them those that
// hold the inputs on their own disks, the task is poison and the job ends partial (PROTOCOL 4).

/// Why a task gave no result.
public enum FailureKind: Hashable, Sendable {
    /// Unreachable, 429, 5xx, the owner of the file is gone.
    case input(reason: String)
    /// Any other error, a crash of its child process included.
    case error(reason: String)
}

/// 1, 2, 4 … 60 s between attempts, for 15 minutes in all.
public struct BackOff: Equatable, Sendable {
    static let shortest = Span.seconds(1)
    static let longest = Span.seconds(60)
    static let patience = Span.seconds(15 * 60)

    private var began: Instant
    private var pause = BackOff.shortest
    /// When to try again.
    public private(set) var until: Instant

    /// The first failure.
    init(now: Instant) {
        began = now
        until = now + Self.shortest
    }

    /// Another failure. False: the patience is over. A repetition of the same failure changes nothing.
    mutating func failedAgain(now: Instant) -> Bool {
        guard now >= until else { return true }
        pause = min(pause * 2, Self.longest)
        until = now + pause
        return now - began < Self.patience
    }

    /// Our own stall is no time spent waiting.
    mutating func stalled(_ length: Span) {
        began = began + length
        until = until + length
    }
}

/// The failed attempts at the tasks of one run, at the coordinator.
public struct Failures: Equatable, Sendable {
    static let enough = 3
    static let crashesBeforeIsolation = 2
    /// Bytes of a reason: two of them fit into a job's note.
    static let reasonLimit = 480

    /// What follows from a failure.
    public enum Outcome: Equatable, Sendable {
        /// Try it on another node.
        case elsewhere
        /// Wait for the input.
        case wait
        /// Give it up.
        case poison
    }

    private struct Trouble: Equatable, Sendable {
        var nodes: [NodeID] = []
        var crashes: [NodeID: Set<UInt64>] = [:]
        var waiting: BackOff?
        var reason = ""
    }

    private var troubles: [TaskID: Trouble] = [:]
    private var avoided: [NodeID: TaskSet] = [:]
    /// Tasks given up.
    public private(set) var poison = TaskSet()
    /// Tasks whose input is waited for.
    public private(set) var waiting = TaskSet()

    init() {}

    /// Tasks about which something is remembered.
    public var count: Int { troubles.count }

    /// Tasks that `node` has tried in vain.
    func avoided(by node: NodeID) -> TaskSet { avoided[node] ?? TaskSet() }

    /// True: run it in a child process, its process died with it twice.
    public func needsIsolation(_ task: TaskID) -> Bool {
        let crashes = troubles[task]?.crashes.values.reduce(0) { $0 + $1.count } ?? 0
        return crashes >= Self.crashesBeforeIsolation
    }

    /// Why a poison task was given up, or why its input is waited for.
    public func reason(_ task: TaskID) -> String { troubles[task]?.reason ?? "" }

    /// When an input is tried again.
    public var nextDeadline: Instant? { waiting.tasks.compactMap { troubles[$0]?.waiting?.until }.min() }

    /// `node` reports a failure. `live` are the nodes that may still try it, `holders` those of them with
    /// inputs of the job on their disks: what others may not read, these can.
    mutating func failed(
        _ task: TaskID, on node: NodeID, _ kind: FailureKind, live: [NodeID], holders: [NodeID] = [],
        now: Instant
    ) -> Outcome {
        var trouble = troubles[task] ?? Trouble()
        defer { troubles[task] = trouble }
        switch kind {
        case .input(let reason):
            trouble.reason = reason.cut(toBytes: Self.reasonLimit)
            let goesOn = trouble.waiting?.failedAgain(now: now) ?? true
            trouble.waiting = trouble.waiting ?? BackOff(now: now)
            waiting.insert(task)
            guard goesOn else {
                give(up: task)
                return .poison
            }
            return .wait
        case .error(let reason):
            trouble.reason = reason.cut(toBytes: Self.reasonLimit)
            let isNews = trouble.nodes.count < Self.enough || holders.contains(node)
            if isNews, !trouble.nodes.contains(node) { trouble.nodes.append(node) }
            avoided[node, default: TaskSet()].insert(task)
            guard isHopeless(trouble, live, holders) else { return .elsewhere }
            give(up: task)
            return .poison
        }
    }

    /// A process died while it ran the task; told apart by the start id, so that a doubled message counts
    /// once.
    mutating func crashed(_ task: TaskID, on node: NodeID, start: UInt64) {
        troubles[task, default: Trouble()].crashes[node, default: []].insert(start)
    }

    /// A blob did not match its digest there: recompute it elsewhere.
    mutating func avoid(_ task: TaskID, on node: NodeID) { avoided[node, default: TaskSet()].insert(task) }

    /// Its result came after all.
    mutating func succeeded(_ task: TaskID) {
        guard let trouble = troubles[task] else { return }
        for node in trouble.nodes { avoided[node]?.remove(task) }
        troubles[task] = nil
        waiting.remove(task)
        poison.remove(task)
    }

    /// Tasks whose input is tried again now, and tasks that nobody alive is left to try.
    mutating func advance(live: [NodeID], holders: [NodeID] = [], now: Instant) -> (
        retry: TaskSet, poisoned: TaskSet
    ) {
        var (retry, poisoned) = (TaskSet(), TaskSet())
        for task in waiting.tasks {
            guard let wait = troubles[task]?.waiting, wait.until <= now else { continue }
            waiting.remove(task)
            retry.insert(task)
        }
        for (task, trouble) in troubles.sorted(by: { $0.key < $1.key }) {
            guard !poison.contains(task), !trouble.nodes.isEmpty, isHopeless(trouble, live, holders) else {
                continue
            }
            give(up: task)
            poisoned.insert(task)
        }
        return (retry, poisoned)
    }

    /// Our own stall is no time spent waiting.
    mutating func stalled(_ length: Span) {
        for task in waiting.tasks { troubles[task]?.waiting?.stalled(length) }
    }

    private func isHopeless(_ trouble: Trouble, _ live: [NodeID], _ holders: [NodeID]) -> Bool {
        let haveSeveral = trouble.nodes.count >= Self.enough && holders.allSatisfy(trouble.nodes.contains)
        return haveSeveral || (!live.isEmpty && live.allSatisfy(trouble.nodes.contains))
    }

    private mutating func give(up task: TaskID) {
        poison.insert(task)
        waiting.remove(task)
    }
}
