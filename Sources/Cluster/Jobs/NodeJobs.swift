// All that one node does for jobs: the book of headers, the jobs that it coordinates, keeps or watches, its
// own work and its thefts. Each event goes to the machine that it concerns; messages to ourselves never leave
// (PROTOCOL 3 to 5).
//
// Contract: call one method an event with the instant at which the shell saw it, then `advance` with the same
// instant (it fires timers and lets an idle node ask for work), and perform the actions of both in order.
// Time never goes back. Drain inputs before timers. `nextDeadline` tells when `advance` is to be called
// without an event.

/// The jobs part of a node.
public struct NodeJobs: Sendable {
    static let requestEvery = Span.seconds(1)
    static let requestFor = Span.seconds(30)
    static let requestLimit = 1000
    static let answerLimit = 256
    static let roundLimit = 4

    /// A user's request made here, until it is answered.
    struct Request: Sendable {
        let job: JobID
        let run: RunID
        let kind: UserRequest
        let since: Instant
        var next: Instant
    }

    /// An answer given, so that a repeated request gets the same.
    struct Answer: Sendable {
        let job: JobID
        let node: NodeID
        let number: UInt64
        let answer: UserAnswer
    }

    /// This start of the node.
    public let start: UInt64
    let hasObjectStore: Bool
    /// The protocol fault that is switched on: for tests only.
    let fault: DeliberateFault?
    /// Membership as it was told last.
    public internal(set) var view: PeerView
    /// All headers.
    public internal(set) var book = JobBook()
    /// Jobs that this node coordinates.
    public internal(set) var coordinators: [JobID: Coordinator] = [:]
    /// Its own work.
    public internal(set) var worker: Worker
    var watches: [JobID: TakeOver] = [:]
    var records: [JobID: JobRecord] = [:]
    var thief = Thief()
    /// What transfers to this node got last, and when.
    var measured: (link: LinkMeasure, at: Instant)?
    var requests: [UInt64: Request] = [:]
    var answers: [Answer] = []

    /// A node that knows no job yet.
    public init(
        view: PeerView, slots: Int, memory: Int = .max, hasObjectStore: Bool = false,
        fault: DeliberateFault? = nil
    ) {
        self.view = view
        start = view.own.start
        self.hasObjectStore = hasObjectStore
        self.fault = fault
        book.fault = fault
        thief.fault = fault
        worker = Worker(of: view.me, slots: slots, memory: memory)
    }

    /// This node.
    public var me: NodeID { view.me }

    /// Blobs that this node holds of a job's present plan.
    public func held(of job: JobID) -> TaskSet { records[job]?.holdings?.held ?? TaskSet() }

    /// The results that this node knows of a job, as its coordinator or keeper.
    public func done(of job: JobID) -> DoneLog? { coordinators[job]?.done ?? records[job]?.done }

    /// When `advance` has something to do.
    public var nextDeadline: Instant? {
        var times: [Instant?] = [worker.nextDeadline, book.nextDeadline, thief.nextDeadline]
        times += coordinators.values.map(\.nextDeadline)
        times += records.values.map(\.nextDeadline)
        times += requests.values.map(\.next)
        for (id, watch) in watches {
            guard let header = book[id] else { continue }
            let isConcerned = header.term.node == me || header.reign.keepers.contains(me)
            times.append(watch.nextDeadline(isKeeper: isConcerned))
        }
        return times.compactMap { $0 }.min()
    }

    // MARK: Time and membership

    /// Fires what is due, and lets an idle node ask for work. Call it after every other event too.
    public mutating func advance(now: Instant, using generator: inout some RandomNumberGenerator)
        -> [JobAction]
    {
        var actions: [JobAction] = []
        // One timer may set another for this very moment: our own messages to ourselves take no time.
        for _ in 0..<Self.roundLimit {
            actions += advanceOnce(now, using: &generator)
            guard isDue(nextDeadline, now) else { break }
        }
        return actions
    }

    private mutating func advanceOnce(
        _ now: Instant, using generator: inout some RandomNumberGenerator
    ) -> [JobAction] {
        var actions = map(book.advance(now: now), now)
        for id in coordinators.keys.sorted() where isDue(coordinators[id]?.nextDeadline, now) {
            actions += coordinate(id, now) { $0.advance($1, now: now) }
        }
        for id in watches.keys.sorted() { actions += watch(id, now) }
        actions += repeatRequests(now)
        actions += work(worker.advance(now: now), now)
        for id in records.keys.sorted() where isDue(records[id]?.nextDeadline, now) {
            actions += report(id, now)
        }
        return actions + steal(now, using: &generator)
    }

    /// Membership, a fingerprint, slots or room changed.
    public mutating func viewChanged(_ new: PeerView, now: Instant) -> [JobAction] {
        precondition(new.me == me, "the view of \(me) became the view of \(new.me)")
        view = new
        let own = new.own
        var actions = work(
            worker.resized(slots: own.slots, memory: own.memory, hasRoom: own.hasRoom, now: now), now)
        for id in coordinators.keys.sorted() { actions += coordinate(id, now) { $0.advance($1, now: now) } }
        for id in watches.keys.sorted() { actions += watch(id, now) }
        return actions
    }

    /// We stalled: every deadline of ours moves by `length`; nobody was silent meanwhile.
    public mutating func stalled(_ length: Span) {
        for id in coordinators.keys.sorted() { coordinators[id]?.stalled(length) }
        for id in watches.keys.sorted() { watches[id]?.stalled(length) }
        worker.stalled(length)
        thief.stalled(length)
    }

    /// The link to `peer` ended and a redial was refused: its process is gone.
    public mutating func linkRefused(by peer: NodeID, now: Instant) -> [JobAction] {
        var actions: [JobAction] = []
        for id in watches.keys.sorted() {
            guard let header = book[id], header.term.node == peer, header.reign.keepers.contains(me) else {
                continue
            }
            let steps = watches[id]?.linkRefused(header, view, now: now) ?? []
            actions += steps.flatMap { follow($0, header, now) }
        }
        return actions
    }

    // MARK: Users

    /// A client hands in a job; the id is the client's, so that a retry is the same job. Nil: it is taken;
    /// else why not.
    public mutating func submit(
        _ id: JobID, title: String, request: Digest, now: Instant
    ) -> (refusal: String?, actions: [JobAction]) {
        if let known = book[id] {
            let copies = coordinators[id]?.keepers.copies ?? 1 + known.reign.keepers.count
            guard known.request == request else { return ("job \(id) exists with another request", []) }
            return (nil, copies > 0 ? [.acknowledged(id, copies: copies)] : [])
        }
        if coordinators[id] != nil { return (nil, []) }
        if book.isFull { return ("too many jobs; wait until some have ended", []) }
        var new = Coordinator(
            accepting: id, title: title, request: request, me: me, start: start,
            hasObjectStore: hasObjectStore,
            now: now)
        if let flaw = new.header.flaw { return (flaw, []) }
        new.fault = fault
        let actions = new.begin(contentFrom: nil)
        coordinators[id] = new
        return (nil, actions + useEarly(id, now))
    }

    /// A user asks for something about a run of a job; `.answered` comes with the same number, after 30 s at
    /// the latest.
    public mutating func request(
        _ kind: UserRequest, _ job: JobID, run: RunID, number: UInt64, now: Instant
    ) -> [JobAction] {
        guard book[job] != nil else {
            return [.answered(job, number: number, .refused(reason: "job \(job) is not known here"))]
        }
        guard requests.count < Self.requestLimit else {
            return [.answered(job, number: number, .refused(reason: "too many requests"))]
        }
        requests[number] = Request(job: job, run: run, kind: kind, since: now, next: now)
        return repeatRequests(now)
    }

    // MARK: Restart

    /// A header as this node's disk had it, with what else was there. Call before anything else.
    public mutating func restore(
        _ header: JobHeader, plan: JobPlan?, done: [TaskResult], blobs: [TaskResult], finishedFor: Span,
        now: Instant
    ) -> [JobAction] {
        var record = JobRecord()
        record.stored = JobRecord.Stored(term: header.term, revision: header.reign.revision)
        if let plan, plan.digest == header.reign.plan {
            record.adopt(plan)
            var log = DoneLog(plan: plan.digest, count: plan.count)
            _ = log.unite(done)
            record.done = log
            if !blobs.isEmpty { record.holdings = Holdings(plan: plan.digest) }
            for blob in blobs { record.holdings?.add(blob) }
        }
        records[header.id] = record
        return map(book.update(header, finishedFor: finishedFor, now: now), now)
    }

    /// How many processes of this node died while they ran which task of a plan. Call it after `restore`. The
    /// coordinator counts deaths too, but where a node is alone, or coordinates itself, it forgets them with
    /// its own death.
    public mutating func died(_ id: JobID, plan: Digest, _ deaths: [TaskID: Int]) {
        let deadly = deaths.filter { $0.value >= Failures.crashesBeforeIsolation }.keys
        worker.isolate(TaskSet(deadly), of: plan)
    }

    // MARK: Helpers

    private func isDue(_ deadline: Instant?, _ now: Instant) -> Bool { deadline.map { $0 <= now } ?? false }

    /// Lets the coordinator of `id` act, and follows what came of it.
    mutating func coordinate(
        _ id: JobID, _ now: Instant, _ event: (inout Coordinator, PeerView) -> [JobAction]
    ) -> [JobAction] {
        let actions = coordinators[id]?.handle(event, view) ?? []
        var result: [JobAction] = []
        for action in actions {
            switch action {
            case .changed(let header): result += map(book.update(header, now: now), now)
            case .pin(let id, let plan, let isPinned): result += pin(id, plan, isPinned)
            default: result += settle([action], now)
            }
        }
        return result
    }

    /// Messages to ourselves are delivered; the rest is for the shell.
    mutating func settle(_ actions: [JobAction], _ now: Instant) -> [JobAction] {
        var result: [JobAction] = []
        for action in actions {
            if case .send(let message, to: me) = action {
                result += received(message, from: me, now: now)
            } else {
                result.append(action)
            }
        }
        return result
    }

    mutating func pin(_ id: JobID, _ plan: Digest, _ isPinned: Bool) -> [JobAction] {
        let before = records[id]?.pinned
        guard isPinned ? before != plan : before == plan else { return [] }
        records[id, default: JobRecord()].pinned = isPinned ? plan : nil
        let old = isPinned ? before.map { [JobAction.pin(id, plan: $0, false)] } ?? [] : []
        return old + [.pin(id, plan: plan, isPinned)]
    }

    /// What the worker wants.
    mutating func work(_ steps: [Worker.Action], _ now: Instant) -> [JobAction] {
        var actions: [JobAction] = []
        for step in steps {
            switch step {
            case .start(let id, let task, let plan, let isolated):
                actions.append(.start(id, task, plan: plan, isolated: isolated))
            case .stop(let id, let task): actions.append(.stop(id, task))
            case .failed(let id, let task, let plan, let reason):
                guard let header = book[id] else { continue }
                let body = JobMessage.Body.failed(plan: plan, task, .error(reason: reason))
                actions.append(.send(message(header, body), to: header.term.node))
            case .fetchPlan(let id, let digest):
                actions.append(
                    .fetchPlan(id, digest, from: book[id].map { [$0.term.node] + $0.reign.keepers } ?? []))
            case .beat(let id):
                let sequence = records[id]?.holdings?.sequence ?? 0
                guard let header = book[id], let share = worker.shares[id],
                    let beat = worker.heartbeat(of: id, start: start, holdSequence: sequence, now: now)
                else { continue }
                actions.append(
                    .send(message(header, .heartbeat(plan: share.digest, beat)), to: header.term.node))
            }
        }
        return settle(actions, now)
    }

    /// A message that says what this node knows of the job.
    func message(_ header: JobHeader, _ body: JobMessage.Body) -> JobMessage {
        JobMessage(job: header.id, run: header.state.run, term: header.term, body: body)
    }

    private mutating func report(_ id: JobID, _ now: Instant) -> [JobAction] {
        guard let header = book[id] else { return [] }
        let bodies = records[id]?.report(header, start: start, now: now) ?? []
        return settle(bodies.map { .send(message(header, $0), to: header.term.node) }, now)
    }

    private mutating func repeatRequests(_ now: Instant) -> [JobAction] {
        var actions: [JobAction] = []
        for number in requests.keys.sorted() {
            guard let request = requests[number], request.next <= now else { continue }
            guard now - request.since < Self.requestFor, let header = book[request.job] else {
                requests[number] = nil
                let reason = "the coordinator of job \(request.job) did not answer within 30 s; ask again"
                actions.append(.answered(request.job, number: number, .refused(reason: reason)))
                continue
            }
            requests[number]?.next = now + Self.requestEvery
            let coordinator = header.term.node
            // An ended job whose coordinator is gone is taken over here, to begin its next run.
            if coordinator != me, !view.mayAnswer(coordinator), !header.isLive {
                actions += takeOver(header, now)
            }
            let target = coordinators[request.job] != nil ? me : coordinator
            let body = JobMessage.Body.request(request.kind, number: number)
            let message = JobMessage(job: request.job, run: request.run, term: header.term, body: body)
            actions += settle([.send(message, to: target)], now)
        }
        return actions
    }

    /// An idle node asks for work of a live job that its engine can do.
    private mutating func steal(
        _ now: Instant, using generator: inout some RandomNumberGenerator
    ) -> [JobAction] {
        guard worker.isDry else {
            thief.isBusy()
            return []
        }
        if let deadline = thief.nextDeadline, deadline > now { return [] }
        let steps = thief.ranDry(targets, now: now, using: &generator)
        return settle(steps.flatMap { ask($0, now) }, now)
    }

    mutating func ask(_ step: Thief.Action, _ now: Instant) -> [JobAction] {
        guard case .ask(let id, let node, let request, let asVictim) = step, let header = book[id] else {
            return []
        }
        var ask = question(about: id, now: now)
        ask.request = request
        return [.send(message(header, .ask(ask, asVictim: asVictim)), to: node)]
    }

    private var targets: [Thief.Target] {
        guard let print = view.own.fingerprint else { return [] }
        let working: [JobPhase] = [.running, .waitingForInput]
        let jobs = watches.keys.sorted() + coordinators.keys.sorted()
        return jobs.sorted().compactMap { id in
            guard let header = book[id], header.isLive, header.reign.fingerprint == print,
                working.contains(header.reign.phase)
            else { return nil }
            let coordinator = header.term.node
            let answers = view.mayAnswer(coordinator) ? coordinator : nil
            let isNeeded = answers == nil || thief.silent == coordinator
            let workers =
                isNeeded ? view.others.filter { $0.fingerprint == print && $0.id != coordinator } : []
            return Thief.Target(job: id, coordinator: answers, workers: workers.map(\.id))
        }
    }
}
