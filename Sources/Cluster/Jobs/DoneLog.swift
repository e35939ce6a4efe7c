// What is known of results: task → digest. It is a fact and only grows, so two logs always unite; a task with
// two digests under one fingerprint is a broken engine, and is said loudly (PROTOCOL 3, S6).

/// One task's result.
public struct TaskResult: Hashable, Sendable {
    /// Which task of the plan.
    public let task: TaskID
    /// The blob's digest.
    public let digest: Digest

    /// `task` gave `digest`.
    public init(task: TaskID, digest: Digest) {
        self.task = task
        self.digest = digest
    }
}

/// The results of one plan, as one node knows them.
public struct DoneLog: Equatable, Sendable {
    /// The plan; logs of two plans (two fingerprints) never mix.
    public let plan: Digest
    /// How many tasks the plan has; results beyond it are refused.
    public let count: Int
    /// The tasks with a known result.
    public private(set) var done = TaskSet()
    private var digests: [Digest?]
    private var sum: UInt64 = 0

    /// What became of a result that was told.
    public enum Outcome: Equatable, Sendable {
        case new
        case known
        /// The task already has another digest.
        case conflict(kept: Digest)
        /// No such task in the plan.
        case outside
    }

    /// An empty log of a plan with `count` tasks.
    public init(plan: Digest, count: Int) {
        self.plan = plan
        self.count = count
        digests = Array(repeating: nil, count: count)
    }

    /// The digest of a done task.
    public subscript(task: TaskID) -> Digest? {
        digests.indices.contains(task.index) ? digests[task.index] : nil
    }

    /// Adds a result. The first digest stays, whatever comes later.
    public mutating func add(_ result: TaskResult) -> Outcome {
        guard digests.indices.contains(result.task.index) else { return .outside }
        if let known = digests[result.task.index] {
            return known == result.digest ? .known : .conflict(kept: known)
        }
        digests[result.task.index] = result.digest
        done.insert(result.task)
        sum &+= Self.word(result)
        return .new
    }

    /// A checksum of the digests of `tasks`: two logs that agree on these tasks have the same.
    public func checksum(of tasks: TaskSet) -> UInt64 {
        tasks == done ? sum : results(of: tasks).reduce(0) { $0 &+ Self.word($1) }
    }

    private static func word(_ result: TaskResult) -> UInt64 {
        let words = result.digest.words
        let start = scrambled(UInt64(result.task.index))
        return [words.0, words.1, words.2, words.3].reduce(start) { scrambled($0 ^ $1) }
    }

    /// The results of those of `tasks` that are done, in order, at most `limit`.
    public func results(of tasks: TaskSet, limit: Int = .max) -> [TaskResult] {
        var results: [TaskResult] = []
        for range in tasks.intersection(done).ranges {
            for index in range.lower..<range.upper {
                guard results.count < limit, let digest = digests[index] else { return results }
                results.append(TaskResult(task: TaskID(index), digest: digest))
            }
        }
        return results
    }

    /// Adds all that `other` knows; returns what was new and the tasks with two digests.
    public mutating func unite(_ other: [TaskResult]) -> (new: [TaskResult], conflicts: [TaskResult]) {
        var (new, conflicts): ([TaskResult], [TaskResult]) = ([], [])
        for result in other {
            switch add(result) {
            case .new: new.append(result)
            case .conflict: conflicts.append(result)
            case .known, .outside: break
            }
        }
        return (new, conflicts)
    }
}
