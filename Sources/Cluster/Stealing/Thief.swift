// An idle node looks for work. It asks the coordinator, which knows every load and points at the best victim;
// then it asks the victim itself. Without a coordinator it asks a random worker: stealing never waits for a
// take-over (PROTOCOL 4).

/// Decides whom an idle node asks, and which grants still count.
public struct Thief: Equatable, Sendable {
    static let answerTime = Span.seconds(1)
    static let voidAfter = Span.seconds(2)
    /// After a first refusal by a victim; it doubles with each further one, up to `longRest`.
    static let shortRest = Span.milliseconds(5)
    static let longRest = Span.milliseconds(500)
    static let openLimit = 16

    /// What the node has to do.
    public enum Action: Equatable, Sendable {
        /// Ask this node for work of this job: the coordinator, or a worker as a victim.
        case ask(JobID, NodeID, request: UInt64, asVictim: Bool)
    }

    /// A job that may have work for us.
    public struct Target: Equatable, Sendable {
        /// Which.
        public let job: JobID
        /// Its coordinator, if it may answer.
        public let coordinator: NodeID?
        /// Others that can work on it, sorted.
        public let workers: [NodeID]

        /// A job, its coordinator and its workers.
        public init(job: JobID, coordinator: NodeID?, workers: [NodeID]) {
            self.job = job
            self.coordinator = coordinator
            self.workers = workers
        }
    }

    enum State: Equatable, Sendable {
        /// Every slot is busy, or nothing is known to be worth asking.
        case working
        /// A question is out.
        case asking(JobID, NodeID, request: UInt64, until: Instant)
        /// Nothing to be had; again later.
        case resting(until: Instant)
    }

    private struct Question: Equatable, Sendable {
        let at: Instant
        let asVictim: Bool
    }

    private(set) var state = State.working
    private var requests: UInt64 = 0
    /// Questions whose grant would still count, and when they were asked.
    private var open: [UInt64: Question] = [:]
    private var refusals = 0
    private var lastJob: JobID?
    /// The coordinator that did not answer the last question.
    private(set) var silent: NodeID?
    /// The protocol fault that is switched on: for tests only.
    var fault: DeliberateFault?
    /// What it got so far.
    private(set) var tally = WorkTally()
    /// Since when the node has been without work beside a job, questions and rests included.
    private(set) var dryFrom: Instant?

    /// A node that has nothing to do yet.
    public init() {}

    /// Questions whose grant would still count.
    var openCount: Int { open.count }

    /// When `advance` has something to do.
    public var nextDeadline: Instant? {
        switch state {
        case .working: nil
        case .asking(_, _, _, let until), .resting(let until): until
        }
    }

    /// A slot is free and nothing is queued: asks, unless a question is out or the last answer was a moment
    /// ago.
    mutating func ranDry(
        _ targets: [Target], now: Instant, using generator: inout some RandomNumberGenerator
    ) -> [Action] {
        guard fault != .idleNeverAsks else { return [] }
        dryFrom = targets.isEmpty ? nil : dryFrom ?? now
        switch state {
        case .asking(_, let node, _, let until):
            guard until <= now else { return [] }
            silent = node
        case .resting(let until):
            guard until <= now else { return [] }
        case .working: break
        }
        // The jobs in turn, each by its coordinator, or by a random worker when that is gone or silent.
        let later = targets.filter { target in lastJob.map { target.job > $0 } ?? true }
        for target in later + targets.filter({ target in !later.contains { $0.job == target.job } }) {
            lastJob = target.job
            if let coordinator = target.coordinator, coordinator != silent {
                return ask(target.job, coordinator, asVictim: false, now)
            }
            silent = nil
            if let worker = target.workers.randomElement(using: &generator) {
                return ask(target.job, worker, asVictim: true, now)
            }
        }
        state = targets.isEmpty ? .working : .resting(until: now + Self.longRest)
        return []
    }

    /// Every slot is busy again.
    mutating func isBusy() {
        state = .working
        refusals = 0
        dryFrom = nil
    }

    /// The coordinator names the best victim.
    mutating func pointed(at victim: NodeID, request: UInt64, now: Instant) -> [Action] {
        guard case .asking(let job, _, request, _) = state else { return [] }
        open[request] = nil
        return ask(job, victim, asVictim: true, now)
    }

    /// A grant came. True: it answers a question of the last two seconds, and is the first that does.
    mutating func granted(_ request: UInt64, now: Instant) -> Bool {
        guard let question = open.removeValue(forKey: request),
            now - question.at <= Self.voidAfter || fault == .lateGrantAccepted
        else { return false }
        silent = nil
        tally.granted(after: now - (dryFrom ?? question.at), byVictim: question.asVictim)
        dryFrom = nil
        refusals = 0
        if case .asking(_, _, request, _) = state { state = .working }
        return true
    }

    /// Nothing there. A victim that has just run dry is asked about again soon, a coordinator later.
    mutating func refused(_ request: UInt64, byVictim: Bool, now: Instant) {
        open[request] = nil
        guard case .asking(_, _, request, _) = state else { return }
        silent = nil
        let rest = byVictim ? min(Self.longRest, Self.shortRest * (1 << min(refusals, 7))) : Self.longRest
        refusals += byVictim ? 1 : 0
        state = .resting(until: now + rest)
    }

    private mutating func ask(_ job: JobID, _ node: NodeID, asVictim: Bool, _ now: Instant) -> [Action] {
        requests += 1
        if fault != .lateGrantAccepted { open = open.filter { now - $0.value.at <= Self.voidAfter } }
        if open.count >= Self.openLimit, let oldest = open.keys.min() { open[oldest] = nil }
        open[requests] = Question(at: now, asVictim: asVictim)
        state = .asking(job, node, request: requests, until: now + Self.answerTime)
        return [.ask(job, node, request: requests, asVictim: asVictim)]
    }

    /// Our own stall extends every deadline.
    mutating func stalled(_ length: Span) {
        switch state {
        case .working: break
        case .asking(let job, let node, let request, let until):
            state = .asking(job, node, request: request, until: until + length)
        case .resting(let until): state = .resting(until: until + length)
        }
    }
}
