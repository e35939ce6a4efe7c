import Cluster
import Foundation

/// The traces of the jobs that this node coordinates, brought up to date three times a second, with the
/// latest events of each. What happened before this node coordinated a job is not known here.
final class LiveJobs: @unchecked Sendable {
    /// A job's trace and its latest events.
    struct Entry {
        var trace: JobTrace
        let term: UInt64
        var events: [LiveEvent] = []
        var next: UInt64 = 1
        var touched: Double

        var last: LiveEventID { LiveEventID(term: term, number: next - 1) }
    }

    /// Events kept of one job.
    static let mostEvents = 4096
    /// Jobs whose traces are kept; the ones that were quiet longest go first.
    static let mostJobs = 64
    private static let every = DispatchTimeInterval.milliseconds(300)

    private let queue = DispatchQueue(label: "arbutus live")
    private let lock = NSLock()
    private var entries: [JobID: Entry] = [:]
    private let timer: any DispatchSourceTimer
    private let contents: JobContents
    private let ask: @Sendable (@escaping @Sendable (Node) -> Void) -> Void
    private let clock = MonotonicClock()
    private let encoder: JSONEncoder

    /// - Parameter ask: calls back with the node between two of its steps, on the protocol's thread.
    init(
        contents: JobContents, ask: @escaping @Sendable (@escaping @Sendable (Node) -> Void) -> Void
    ) {
        (self.contents, self.ask) = (contents, ask)
        encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        timer = DispatchSource.makeTimerSource(queue: queue)
    }

    /// Begins to look.
    func start() {
        timer.schedule(deadline: .now() + Self.every, repeating: Self.every, leeway: .milliseconds(50))
        timer.setEventHandler { [weak self] in self?.look() }
        timer.resume()
    }

    /// Ends looking; answers stay.
    func stop() {
        timer.cancel()
        queue.sync {}
    }

    // MARK: Answers

    /// What happened to a job after an event; nil: this node does not know the job's events.
    func events(of job: JobID, after id: LiveEventID) -> LiveEvents? {
        lock.withLock {
            guard let entry = entries[job] else { return nil }
            let isOther = id.term != entry.term
            let kept = isOther ? entry.events : entry.events.filter { $0.id > id }
            let first = entry.events.first?.id.number ?? entry.next
            let isOld = !isOther && id.number + 1 < first
            return LiveEvents(
                events: kept, last: entry.last, hasGap: id != .none && (isOther || isOld))
        }
    }

    /// The trace of a job and the last event that it contains.
    func trace(of job: JobID) -> (trace: JobTrace, last: LiveEventID)? {
        lock.withLock { entries[job].map { ($0.trace, $0.last) } }
    }

    /// Tasks that went from one node to another in the jobs that this node coordinated.
    var steals: [NodeID: [NodeID: Int]] {
        lock.withLock {
            entries.values.reduce(into: [:]) { all, entry in
                for (victim, thieves) in entry.trace.steals {
                    all[victim, default: [:]].merge(thieves, uniquingKeysWith: +)
                }
            }
        }
    }

    /// A member's state changed: the jobs that go on tell it.
    func memberChanged(_ news: MemberNews) {
        queue.async {
            let live = self.lock.withLock { self.entries.filter { $0.value.trace.sight.header.isLive }.keys }
            for job in live.sorted() { self.tell([.member(news)], of: job) }
        }
    }

    // MARK: Looking

    private func look() {
        let known = lock.withLock { entries.mapValues { $0.trace.sight.done } }
        ask { [weak self] node in
            guard let jobs = node.jobs else { return }
            let sights = jobs.coordinators.sorted { $0.key < $1.key }.map { id, coordinator in
                coordinator.sight(knowing: known[id] ?? TaskSet())
            }
            // A coordinator that is over is gone; its job's header says how it ended.
            let ended = known.keys.filter { jobs.coordinators[$0] == nil }.compactMap { jobs.book[$0] }
            guard let self, !(sights.isEmpty && ended.isEmpty) else { return }
            self.queue.async { self.take(sights, ended) }
        }
    }

    private func take(_ sights: [JobSight], _ ended: [JobHeader]) {
        for sight in sights where sight.header.reign.phase != .accepted || sight.count > 0 { take(sight) }
        for header in ended {
            guard let old = lock.withLock({ entries[header.id]?.trace.sight }), old.header != header else {
                continue
            }
            // What was done since the last look is known by its end alone.
            let isComplete = if case .complete = header.state.manifest { true } else { false }
            take(
                JobSight(
                    header: header, count: old.count, done: isComplete ? TaskSet(0, old.count) : old.done,
                    waiting: old.waiting,
                    givenUp: old.givenUp, reasons: old.reasons))
        }
    }

    private func take(_ sight: JobSight) {
        let job = sight.header.id
        let now = clock.now.nanoseconds
        var entry = lock.withLock { entries[job] }
        if entry == nil || entry?.trace.continues(with: sight) == false
            || entry?.term ?? 0 < sight.header.term.counter && sight.header.isLive
        {
            guard let worth = worth(of: sight) else { return }
            let trace = JobTrace(sight, plan: sight.header.reign.plan, worth: worth)
            // Numbers go on under a term, so that an id names one event.
            let term = sight.header.term.counter
            let next = entry?.term == term ? entry?.next ?? 1 : 1
            entry = Entry(trace: trace, term: term, next: next, touched: 0)
        }
        guard var entry else { return }
        let news = entry.trace.see(sight, at: Double(now) / 1e9)
        entry.touched = Double(now) / 1e9
        lock.withLock {
            entries[job] = entry
            forgetTheQuiet()
        }
        tell(news, of: job)
    }

    /// What the tasks are worth; nil while the plan is not here.
    private func worth(of sight: JobSight) -> [JobTrace.Worth]? {
        guard let digest = sight.header.reign.plan, sight.count > 0 else { return [] }
        guard
            case .success(let known) = Result(catching: { try contents.plan(digest, of: sight.header.id) })
        else { return nil }
        return known.engine.plan.tasks.map { task in
            let id = TaskID(task.number)
            return JobTrace.Worth(
                pixels: task.window.count * known.engine.plan.indices.count,
                bytes: known.plan.tasks[id.index].inputBytes, cost: known.plan.cost(id))
        }
    }

    private func tell(_ news: [Happening], of job: JobID) {
        let time = (Date().timeIntervalSince1970 * 1000).rounded() / 1000
        let texts = news.compactMap { happening -> (String, String)? in
            guard case .success(let bytes) = Result(catching: { try happening.json(encoder) }) else {
                return nil
            }
            return (happening.name, String(decoding: bytes, as: UTF8.self))
        }
        lock.withLock {
            guard var entry = entries[job] else { return }
            for (name, data) in texts {
                entry.events.append(
                    LiveEvent(
                        id: LiveEventID(term: entry.term, number: entry.next), name: name, time: time,
                        data: data))
                entry.next += 1
            }
            if entry.events.count > Self.mostEvents {
                entry.events.removeFirst(entry.events.count - Self.mostEvents * 3 / 4)
            }
            entries[job] = entry
        }
    }

    private func forgetTheQuiet() {
        while entries.count > Self.mostJobs,
            let quiet = entries.min(by: { ($0.value.touched, $0.key) < ($1.value.touched, $1.key) })
        {
            entries[quiet.key] = nil
        }
    }
}

extension Happening {
    /// The event's name.
    var name: String {
        switch self {
        case .state: "state"
        case .task: "task"
        case .steal: "steal"
        case .member: "node"
        }
    }

    func json(_ encoder: JSONEncoder) throws -> Data {
        switch self {
        case .state(let progress): try encoder.encode(progress)
        case .task(let news): try encoder.encode(news)
        case .steal(let news): try encoder.encode(news)
        case .member(let news): try encoder.encode(news)
        }
    }
}
