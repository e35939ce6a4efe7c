import Cluster

/// Turns a coordinator's sights of a job into what happened between them: who began what, who finished it,
/// who stole from whom, how fast it goes. Pure: time comes with each sight.
struct JobTrace: Sendable {
    /// What a task is worth in figures.
    struct Worth: Sendable {
        let pixels: Int
        let bytes: Int
        let cost: Double
    }

    /// A task as it stands.
    struct TaskState: Sendable {
        var node: NodeID?
        var attempts = 0
        /// From its begin to its end, as far as it was seen.
        var seconds: Double?
        fileprivate var began: Double?
    }

    let plan: Digest?
    let run: UInt32
    private let worth: [Worth]
    private(set) var tasks: [TaskState]
    private(set) var sight: JobSight
    /// Tasks that a node took from another: thief by victim.
    private(set) var steals: [NodeID: [NodeID: Int]] = [:]
    private var doneBy: [NodeID: Int] = [:]
    private var settled: [NodeID: TaskSet] = [:]
    private var rate = WorkRate()
    private var slowest: [JobProgress.SlowTask] = []
    private var told: (progress: JobProgress, time: Double)?

    /// How often progress is told, in seconds.
    static let progressEvery = 1.0

    /// - Parameter worth: of each task of the plan; empty while there is none.
    init(_ sight: JobSight, plan: Digest?, worth: [Worth]) {
        self.plan = plan
        run = sight.header.state.run.number
        self.worth = worth
        tasks = Array(repeating: TaskState(), count: worth.count)
        self.sight = JobSight(header: sight.header, count: sight.count)
    }

    /// Whether the sight is of the same plan and run; another one begins a new trace.
    func continues(with sight: JobSight) -> Bool {
        sight.header.reign.plan == plan && sight.header.state.run.number == run
    }

    /// What happened since the last sight.
    ///
    /// - Parameter time: seconds, never going back.
    mutating func see(_ new: JobSight, at time: Double) -> [Happening] {
        precondition(continues(with: new), "a sight of another plan or run of job \(new.header.id)")
        var news: [Happening] = []
        news += steals(in: new)
        news += starts(in: new, time)
        news += ends(in: new, time)
        news += troubles(in: new)
        sight = new
        return news + progressIfDue(time)
    }

    /// How the job stands.
    func progress() -> JobProgress {
        var progress = JobProgress(
            state: sight.header.stateName, phase: "\(sight.header.reign.phase)", note: sight.header.note,
            run: run, coordinator: "\(sight.header.term.node)")
        progress.count = sight.count
        progress.done = sight.done.count
        progress.givenUp = sight.givenUp.count
        progress.waiting = sight.waiting.count
        var nodes: [NodeID: JobProgress.NodeShare] = [:]
        func edit(_ node: NodeID, _ change: (inout JobProgress.NodeShare) -> Void) {
            change(&nodes[node, default: JobProgress.NodeShare(node: "\(node)")])
        }
        for (node, count) in doneBy { edit(node) { $0.done = count } }
        for share in sight.shares where sight.header.isLive {
            // A heartbeat may be a second old.
            let running = share.running.count { !sight.done.contains($0.task) }
            progress.running += running
            let queued = max(0, share.owned.subtracting(sight.done).count - running)
            progress.queued += queued
            edit(share.node) { ($0.running, $0.queued) = (running, queued) }
        }
        for (victim, thieves) in steals {
            for (thief, count) in thieves {
                edit(victim) { $0.stolenOut += count }
                edit(thief) { $0.stolenIn += count }
            }
        }
        progress.nodes = nodes.sorted { $0.key < $1.key }.map(\.value)
        progress.slowest = slowest
        guard sight.header.isLive else { return progress }
        progress.pixelsPerSecond = rate.pixels
        progress.bytesPerSecond = rate.bytes
        progress.secondsLeft = secondsLeft
        return progress
    }

    /// The rest at the pace of the last seconds: a quarter faster, and a third slower plus a usual task.
    private var secondsLeft: [Double]? {
        guard rate.cost > 0, !worth.isEmpty else { return nil }
        let over = sight.done.union(sight.givenUp)
        let left = worth.indices.reduce(0.0) { $0 + (over.contains(TaskID($1)) ? 0 : worth[$1].cost) }
        let usual = slowest.isEmpty ? 0 : slowest.map(\.seconds).reduce(0, +) / Double(slowest.count)
        return [left / (rate.cost * 1.25), left / (rate.cost * 0.75) + (left > 0 ? usual : 0)]
    }

    // MARK: Parts of a sight

    /// Tasks that went over from one living share to another. Copies on purpose, and what two nodes list
    /// while it changes hands, wait for the next sight.
    private mutating func steals(in new: JobSight) -> [Happening] {
        var moves: [[NodeID]: [TaskID]] = [:]
        let living = Set(new.shares.map(\.node))
        let old = settled
        for share in new.shares {
            let copies = TaskSet(share.running.filter(\.isCopy).map(\.task))
            let others = new.shares.filter { $0.node != share.node }.reduce(TaskSet()) { $0.union($1.owned) }
            let own = share.owned.subtracting(copies).subtracting(others)
            for task in own.subtracting(old[share.node] ?? TaskSet()).tasks
            where tasks.indices.contains(task.index) {
                if let before = tasks[task.index].node, before != share.node, living.contains(before),
                    old[before]?.contains(task) == true
                {
                    moves[[before, share.node], default: []].append(task)
                }
                tasks[task.index].node = share.node
            }
            for node in settled.keys where node != share.node { settled[node]?.subtract(own) }
            // What two nodes list stays with the one that had it, until one lets go.
            let kept = (old[share.node] ?? TaskSet()).intersection(share.owned)
            settled[share.node] = kept.union(own)
        }
        for node in settled.keys where !living.contains(node) { settled[node] = nil }
        return moves.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { pair, moved in
            steals[pair[0], default: [:]][pair[1], default: 0] += moved.count
            return .steal(
                StealNews(
                    victim: "\(pair[0])", thief: "\(pair[1])",
                    tasks: TaskSet(moved).ranges.map { [$0.lower, $0.upper] }, count: moved.count))
        }
    }

    private mutating func starts(in new: JobSight, _ time: Double) -> [Happening] {
        var news: [Happening] = []
        for share in new.shares {
            let before = Set(
                sight.shares.first { $0.node == share.node }?.running.map(\.task) ?? [])
            for work in share.running
            where !before.contains(work.task) && tasks.indices.contains(work.task.index)
                && !new.done.contains(work.task)
            {
                tasks[work.task.index].attempts += 1
                if !work.isCopy || tasks[work.task.index].began == nil {
                    tasks[work.task.index].began = time
                    tasks[work.task.index].node = share.node
                }
                news.append(
                    .task(
                        TaskNews(
                            task: work.task.index, state: "running", node: "\(share.node)",
                            attempts: tasks[work.task.index].attempts)))
            }
        }
        return news
    }

    private mutating func ends(in new: JobSight, _ time: Double) -> [Happening] {
        var news: [Happening] = []
        let isFirst = told == nil
        for task in new.done.subtracting(sight.done).tasks where tasks.indices.contains(task.index) {
            // A holder is asked first: a copy may have been faster than the one that began.
            let maker = new.fresh[task]
            let node = tasks[task.index].node ?? maker
            tasks[task.index].node = node
            tasks[task.index].seconds = tasks[task.index].began.map { time - $0 }
            if tasks[task.index].attempts == 0 { tasks[task.index].attempts = 1 }
            if let node { doneBy[node, default: 0] += 1 }
            if !isFirst { rate.add(worth[task.index], at: time) }
            note(task, node)
            news.append(
                .task(
                    TaskNews(
                        task: task.index, state: "done", node: node.map { "\($0)" },
                        attempts: tasks[task.index].attempts, seconds: tasks[task.index].seconds)))
        }
        rate.look(at: time)
        return news
    }

    private mutating func note(_ task: TaskID, _ node: NodeID?) {
        guard let seconds = tasks[task.index].seconds, let node else { return }
        slowest.append(JobProgress.SlowTask(task: task.index, node: "\(node)", seconds: seconds))
        slowest.sort { ($0.seconds, $1.task) > ($1.seconds, $0.task) }
        slowest = Array(slowest.prefix(5))
    }

    private func troubles(in new: JobSight) -> [Happening] {
        func news(_ set: TaskSet, _ state: String) -> [Happening] {
            set.tasks.map {
                .task(
                    TaskNews(
                        task: $0.index, state: state, node: nil,
                        attempts: tasks.indices.contains($0.index) ? tasks[$0.index].attempts : nil,
                        reason: new.reasons[$0]))
            }
        }
        return news(new.waiting.subtracting(sight.waiting), "waiting")
            + news(new.givenUp.subtracting(sight.givenUp), "failed")
    }

    private mutating func progressIfDue(_ time: Double) -> [Happening] {
        let now = progress()
        guard let told else {
            self.told = (now, time)
            return [.state(now)]
        }
        let isTurn =
            (now.state, now.phase, now.coordinator) != (
                told.progress.state, told.progress.phase, told.progress.coordinator
            )
        guard isTurn || (now != told.progress && time - told.time >= Self.progressEvery) else { return [] }
        self.told = (now, time)
        return [.state(now)]
    }
}

/// Work done in the last seconds.
struct WorkRate: Sendable {
    private static let window = 20.0

    private var done: [(worth: JobTrace.Worth, time: Double)] = []
    private var since: Double?
    private var now = 0.0

    mutating func add(_ worth: JobTrace.Worth, at time: Double) {
        if since == nil { since = max(now, time - 1) }
        done.append((worth, time))
    }

    mutating func look(at time: Double) {
        now = time
        done.removeAll { $0.time < time - Self.window }
    }

    private func perSecond(_ amount: (JobTrace.Worth) -> Double) -> Double {
        guard let since, now > since else { return 0 }
        let seconds = max(1, min(Self.window, now - since))
        return done.reduce(0) { $0 + amount($1.worth) } / seconds
    }

    var pixels: Double { perSecond { Double($0.pixels) } }
    var bytes: Double { perSecond { Double($0.bytes) } }
    var cost: Double { perSecond(\.cost) }
}

extension JobHeader {
    /// How the job stands, in a word.
    public var stateName: String {
        switch state.manifest {
        case .running: "running"
        case .cancelled: "cancelled"
        case .complete: "complete"
        case .partial(_, let outputs): outputs == nil ? "failed" : "partial"
        }
    }
}
