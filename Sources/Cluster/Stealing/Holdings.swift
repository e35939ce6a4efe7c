// The blobs that this node holds of one plan. The digests are facts; the numbered changes let a coordinator
// notice that it missed one and ask for the whole list (PROTOCOL 3).

/// Blobs of one plan on this node's disk.
public struct Holdings: Equatable, Sendable {
    /// The plan.
    public let plan: Digest
    /// Which tasks' blobs are here.
    public private(set) var held = TaskSet()
    /// Counts the changes within this start of the node.
    public private(set) var sequence: UInt64 = 0
    private var digests: [TaskID: Digest] = [:]

    /// None yet.
    public init(plan: Digest) { self.plan = plan }

    /// The digest of a held blob.
    public subscript(task: TaskID) -> Digest? { digests[task] }

    /// A blob arrived, was computed, or was found on disk at the start.
    public mutating func add(_ result: TaskResult) {
        guard digests.updateValue(result.digest, forKey: result.task) == nil else { return }
        held.insert(result.task)
        sequence += 1
    }

    /// A blob is gone or was found damaged.
    public mutating func remove(_ task: TaskID) {
        guard digests.removeValue(forKey: task) != nil else { return }
        held.remove(task)
        sequence += 1
    }

    /// The results of those of `tasks` that are here, at most `limit`.
    public func results(of tasks: TaskSet, limit: Int) -> [TaskResult] {
        held.intersection(tasks).tasks.prefix(limit).compactMap { task in
            digests[task].map { TaskResult(task: task, digest: $0) }
        }
    }
}
