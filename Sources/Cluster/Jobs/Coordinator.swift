// One job at the node that coordinates it: from the accepted record to the manifest. It owns no pixel and
// does no work; it knows who does, and loses nothing when they, or it itself, die (PROTOCOL 3, 4 and 5).
//
// Its parts: the record and its keepers (`Coordinator+Record`), the work (`Coordinator+Work`), what an idle
// node gets (`Coordinator+Choice`), results and outputs (`Coordinator+Results`). Calls: one method an event,
// `advance` on time and after each change of the view. The actions come back in order; nothing is done
// before `persisted` tells that the term is on disk.

/// The coordinator of one job under one term.
public struct Coordinator: Sendable {
    static let beatEvery = Span.seconds(1)
    static let gatherFor = Span.seconds(3)
    static let engineFor = Span.seconds(60)
    static let handOverFor = Span.seconds(3)
    static let planFor = Span.seconds(15 * 60)
    static let pullTime = Span.seconds(30)
    static let pullLimit = 16
    static let holdLimit = 64

    enum State: Equatable, Sendable {
        /// The term goes to our disk; nothing is said under it before. → accepted
        case storing
        /// Waits for a second disk, an engine, room, or the request's content. → planning, sharing, gathering
        case accepted
        /// The shell plans. → sharing
        case planning(Digest)
        /// The plan goes to the keepers before its first task starts. → running
        case sharing
        /// After a take-over: logs unite and claims are reported anew, until then nothing is granted. →
        /// running
        case gathering(until: Instant)
        /// Tasks are granted, results come in, outputs are made. → ended
        case running
        /// The manifest says how it ended; at most a second copy of the outputs is still to be made.
        case ended
    }

    /// Who is asked to take over, and when it was.
    struct Successor: Equatable, Sendable {
        let node: NodeID
        let since: Instant
        var last: Instant
    }

    /// The header as this coordinator has it; the book has the same.
    public internal(set) var header: JobHeader
    let me: NodeID
    let start: UInt64
    let hasObjectStore: Bool
    /// The protocol fault that is switched on: for tests only.
    var fault: DeliberateFault? { didSet { (keepers.fault, copies.fault) = (fault, fault) } }
    var state = State.storing
    var keepers: Keepers
    var publication: Publication
    var inherited: Bool
    var plan: JobPlan?
    /// Task → digest, once there is a plan.
    public internal(set) var done: DoneLog?
    /// Who owns what, while tasks are granted.
    public internal(set) var claims: Claims?
    /// Who holds what, once there is a plan.
    public internal(set) var holders: Holders?
    /// What did not work out.
    public internal(set) var failures = Failures()
    /// Copies on purpose.
    public internal(set) var copies = Copies()
    var model = CostModel()
    var tastes = FirstTaste()
    var usualSpeed = UsualSpeed()
    /// The holes of the outputs that are being made.
    var missing = TaskSet()
    var reported: Set<NodeID> = []
    var pulling: [TaskID: Instant] = [:]
    /// Results that are held elsewhere, not here, and not on their way.
    var absent = TaskSet()
    var pushed: [TaskID: Instant] = [:]
    var successor: Successor?
    var triedSuccessors: [NodeID] = []
    var engineMissing: Instant?
    /// Since when the content of an inherited plan is looked for.
    var planMissing: Instant?
    var beatAt: Instant
    /// After a take-over the request may be missing here, until a keeper gives it: a worker has none.
    var lacksContent = false
    private var hasFetched = false
    /// When a header that the disk did not take is written again.
    var storeAgain: Instant?

    /// A new job, accepted here.
    init(
        accepting id: JobID, title: String, request: Digest, me: NodeID, start: UInt64, hasObjectStore: Bool,
        now: Instant
    ) {
        let term = Term(counter: 1, node: me, start: start)
        header = JobHeader(id: id, title: title, request: request, term: term)
        (self.me, self.start, self.hasObjectStore) = (me, start, hasObjectStore)
        keepers = Keepers(job: id, now: now)
        publication = Publication(hasObjectStore: hasObjectStore)
        inherited = false
        beatAt = now
    }

    /// Takes the job of `old` over, with what is known here of its plan and its results.
    init(
        takingOver old: JobHeader, plan: JobPlan?, done: DoneLog?, me: NodeID, start: UInt64,
        hasObjectStore: Bool,
        now: Instant
    ) {
        var reign = Reign(term: old.term.next(for: me, start: start))
        reign.keepers = old.reign.keepers.filter { $0 != me }
        // A plan that was still on its way to the keepers may have died with the coordinator; no task has
        // begun, so it is made anew where it is not known.
        let isShared = old.reign.phase != .planning || plan.map { $0.digest == old.reign.plan } ?? false
        reign.plan = isShared ? old.reign.plan : nil
        reign.fingerprint = old.reign.fingerprint
        header = old
        header.reign = reign
        (self.me, self.start, self.hasObjectStore) = (me, start, hasObjectStore)
        keepers = Keepers(job: old.id, known: reign.keepers, now: now)
        publication = Publication(hasObjectStore: hasObjectStore)
        inherited = true
        if let plan, plan.digest == reign.plan {
            self.plan = plan
            self.done = done.flatMap { $0.plan == plan.digest ? $0 : nil }
        }
        beatAt = now
    }

    /// Which job.
    public var job: JobID { header.id }

    /// True when nothing is left to do: the machine may go, the header stays.
    public var isOver: Bool {
        guard state == .ended, storeAgain == nil else { return false }
        if case .published = publication.state { return false }
        return true
    }

    /// Tasks are granted: the take-over, if there was one, is over.
    public var isGranting: Bool { state == .running }

    /// Where it stands, in a line for logs and reports.
    public var description: String {
        let tasks = plan.map { "\(done?.done.count ?? 0) of \($0.count) tasks known" } ?? "no plan"
        guard let claims, let holders else { return "\(state), \(tasks)" }
        return "\(state), \(tasks), held \(holders.held), here \(holders.held(by: me)), open \(claims.open), "
            + "free \(claims.free), waiting \(failures.waiting), poison \(failures.poison), "
            + "\(publication.state)"
    }

    /// Undone tasks that nobody claims and that are granted to the next who asks; for the checkers (S4).
    public var free: TaskSet { claims?.free ?? TaskSet() }

    /// When `advance` has something to do.
    public var nextDeadline: Instant? {
        var times: [Instant?] = [publication.nextDeadline, storeAgain]
        switch state {
        case .storing: return storeAgain
        case .ended: break
        case .accepted, .planning, .sharing:
            times += [keepers.nextDeadline, beatAt, claims?.nextDeadline]
        case .gathering(let until): times += [keepers.nextDeadline, beatAt, claims?.nextDeadline, until]
        case .running:
            times += [
                keepers.nextDeadline, beatAt, failures.nextDeadline, claims?.nextDeadline,
                tastes.nextDeadline,
            ]
        }
        return times.compactMap { $0 }.min()
    }

    /// The first actions of a new coordinator: its term goes to its disk, its candidates are asked meanwhile.
    mutating func begin(contentFrom peer: NodeID?) -> [JobAction] {
        [.persist(header, contentFrom: peer)]
    }

    /// Our disk did not take a header: it is full for now.
    mutating func persistFailed(now: Instant) {
        storeAgain = now + Self.beatEvery
        lacksContent = lacksContent || hasFetched
    }

    /// A keeper has the whole record; this node has it too from now on.
    mutating func fetchContent(from keeper: NodeID) -> [JobAction] {
        guard lacksContent, keepers.ids.contains(keeper) else { return [] }
        (lacksContent, hasFetched) = (false, true)
        return [.persist(header, contentFrom: keeper)]
    }

    /// Moves on with time, or after the view changed.
    mutating func advance(_ view: PeerView, now: Instant) -> [JobAction] {
        var actions: [JobAction] = []
        if let due = storeAgain, due <= now {
            storeAgain = nil
            actions.append(.persist(header, contentFrom: nil))
        }
        if state == .ended {
            let steps = publication.advance(view, keepers: keepers.ids, now: now)
            return actions + publish(steps, view, now: now)
        }
        if state == .storing { return actions }
        claims?.advance(now: now)
        actions += take(keepers.advance(view, needing: header.reign.fingerprint, now: now), view, now: now)
        actions += beatIfDue(now)
        actions += seekSuccessor(view, now: now)
        switch state {
        case .storing, .ended: break
        case .accepted: actions += beginPlanning(view, now: now)
        case .planning: break
        case .sharing: actions += startWhenShared(view, now: now)
        case .gathering(let until):
            if until <= now || hasHeardAll(view) { actions += startRunning(view, now: now) }
        case .running: actions += advanceWork(view, now: now)
        }
        return actions + replanWithoutEngine(view, now: now)
    }

    /// Our own stall extends every deadline.
    mutating func stalled(_ length: Span) {
        keepers.stalled(length)
        claims?.stalled(length)
        tastes.stalled(length)
        failures.stalled(length)
        publication.stalled(length)
        if case .gathering(let until) = state { state = .gathering(until: until + length) }
        engineMissing = engineMissing.map { $0 + length }
        planMissing = planMissing.map { $0 + length }
        pulling = pulling.mapValues { $0 + length }
    }

    // MARK: Helpers of all parts

    /// One event, in place: the tables of a large job are never copied.
    mutating func handle(
        _ event: (inout Coordinator, PeerView) -> [JobAction], _ view: PeerView
    ) -> [JobAction] { event(&self, view) }

    /// A message of this coordinator.
    func message(_ body: JobMessage.Body) -> JobMessage {
        JobMessage(job: job, run: header.state.run, term: header.term, body: body)
    }

    /// Sends `body` to `peer`.
    func send(_ body: JobMessage.Body, to peer: NodeID) -> JobAction { .send(message(body), to: peer) }

    /// Changes the header: to our disk, to the keepers' disks, to the book and its rumours.
    mutating func change(_ edit: (inout JobHeader) -> Void) -> [JobAction] {
        let before = header
        edit(&header)
        guard header != before else { return [] }
        header.reign.revision += 1
        keepers.headerChanged()
        // Nothing is said under a term that is not on our disk.
        if state == .storing { return [.persist(header, contentFrom: nil)] }
        return [.persist(header, contentFrom: nil), .changed(header)]
            + keepers.ids.map { send(.keep(header), to: $0) }
    }

    /// Says what happens now.
    mutating func enter(_ phase: JobPhase) -> [JobAction] {
        header.reign.phase == phase ? [] : change { $0.reign.phase = phase }
    }

    /// Live nodes whose engine can do this job.
    func able(_ view: PeerView) -> [NodeID] {
        view.peers.filter { view.isAlive($0.id) && $0.fingerprint == header.reign.fingerprint }.map(\.id)
    }
}
