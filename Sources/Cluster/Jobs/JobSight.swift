// A job at one moment for people to look at: who works on what. Nothing is decided by it.

/// A job as its coordinator sees it at one moment.
public struct JobSight: Sendable {
    /// What one node has of the job.
    public struct Share: Equatable, Sendable {
        public let node: NodeID
        /// All that it owns and has not finished.
        public let owned: TaskSet
        /// What of it runs.
        public let running: [RunningTask]

        /// A share with these contents.
        public init(node: NodeID, owned: TaskSet, running: [RunningTask]) {
            (self.node, self.owned, self.running) = (node, owned, running)
        }
    }

    public let header: JobHeader
    /// Tasks of the plan; 0 while there is none.
    public let count: Int
    public let done: TaskSet
    /// A holder of each task that is done and was not known to be.
    public let fresh: [TaskID: NodeID]
    /// Tasks whose input is waited for.
    public let waiting: TaskSet
    /// Tasks given up.
    public let givenUp: TaskSet
    /// Why, of those that are waited for or given up.
    public let reasons: [TaskID: String]
    /// By node.
    public let shares: [Share]

    /// A sight with these contents.
    public init(
        header: JobHeader, count: Int, done: TaskSet = TaskSet(), fresh: [TaskID: NodeID] = [:],
        waiting: TaskSet = TaskSet(), givenUp: TaskSet = TaskSet(), reasons: [TaskID: String] = [:],
        shares: [Share] = []
    ) {
        (self.header, self.count, self.done, self.fresh) = (header, count, done, fresh)
        (self.waiting, self.givenUp, self.reasons, self.shares) = (waiting, givenUp, reasons, shares)
    }
}

extension Coordinator {
    /// The job now.
    ///
    /// - Parameter known: tasks whose maker is not asked for.
    public func sight(knowing known: TaskSet) -> JobSight {
        let done = done?.done ?? TaskSet()
        var fresh: [TaskID: NodeID] = [:]
        for task in done.subtracting(known).tasks {
            let nodes = holders?.holders(of: task) ?? []
            fresh[task] = nodes.first { $0 != me } ?? nodes.first
        }
        let troubled = failures.waiting.union(failures.poison).tasks
        let shares = (claims?.nodes ?? [:]).sorted { $0.key < $1.key }.map { id, node in
            JobSight.Share(
                node: id, owned: node.owned,
                running: node.running.sorted { $0.key < $1.key }.map {
                    RunningTask(task: $0.key, progress: $0.value.progress, isCopy: $0.value.isCopy)
                })
        }
        return JobSight(
            header: header, count: plan?.count ?? 0, done: done, fresh: fresh, waiting: failures.waiting,
            givenUp: failures.poison,
            reasons: Dictionary(uniqueKeysWithValues: troubled.map { ($0, failures.reason($0)) }),
            shares: shares)
    }
}

extension Worker {
    /// Tasks that run on this node, and that wait here, of all jobs.
    public var load: (running: Int, queued: Int) {
        shares.values.reduce((0, 0)) { ($0.0 + $1.running.count, $0.1 + $1.queue.count) }
    }
}
