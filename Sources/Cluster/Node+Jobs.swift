// The jobs of a node: its events go in, what they want done comes out. Messages about jobs travel on links; a
// link that is missing is dialled, and the message waits for it a little.

/// The part of a node that carries `NodeJobs` on membership's links and gossip.
struct JobsPort: Sendable {
    /// Created with the first event about a job: a node without jobs pays nothing for them.
    var jobs: NodeJobs?
    var generator: SeededGenerator
    /// The rumours that are still told, the newest of a job only, and for how many rounds.
    var rumours: [(rumour: JobRumour, rounds: Int)] = []
    var nextGossip = Instant.never
    var nextComparison = Instant.never
    /// Frames that wait for a link.
    var waiting: [NodeID: [Frame]] = [:]
    /// The membership changes that `jobs` has seen.
    var seenChanges = -1

    /// Frames that wait for one link, at most; the oldest go first.
    static let mostWaiting = 256
    static let compareEvery = Span.seconds(10)

    init(generator: SeededGenerator) { self.generator = generator }

    /// When the jobs have something to do; kept, because finding it out looks at every job.
    private(set) var due = Instant.never

    var nextDeadline: Instant { min(due, min(nextGossip, nextComparison)) }

    /// The jobs changed.
    mutating func refreshDue() { due = jobs?.nextDeadline ?? .never }
}

extension Node {
    /// The jobs of this node; nil while it knows none.
    public var jobs: NodeJobs? { port.jobs }

    /// Feeds an event, what membership noted, and time to the jobs, and carries out what they want.
    mutating func stepJobs(_ event: JobEvent?, isTimer: Bool, at now: Instant) {
        let notes = membership.notes
        membership.notes = []
        if port.jobs == nil {
            let concerns = event != nil || notes.contains { $0.isAboutJobs }
            guard concerns else { return }
            let engine = membership.engine
            port.jobs = NodeJobs(
                view: membership.view, slots: engine?.slots ?? 1, memory: engine?.memory ?? .max,
                fault: membership.configuration.fault)
            port.seenChanges = membership.changes
            port.nextComparison = now + JobsPort.compareEvery
        }
        var actions: [JobAction] = []
        if case .engineChanged(let engine)? = event {
            membership.engine = engine
            membership.raiseIncarnation(above: membership.version.incarnation)
            port.seenChanges = -1
        }
        let viewChanged = port.seenChanges != membership.changes
        if viewChanged {
            port.seenChanges = membership.changes
            actions += port.jobs?.viewChanged(membership.view, now: now) ?? []
        }
        for note in notes { actions += take(note, now) }
        if let event { actions += take(event, now) }
        let isBusy = event != nil || !actions.isEmpty || !notes.isEmpty
        if isBusy || (isTimer && port.due <= now) {
            actions += port.jobs?.advance(now: now, using: &port.generator) ?? []
            port.refreshDue()
        } else if viewChanged {
            port.refreshDue()
        }
        for action in actions { perform(action, now) }
        if isTimer { tick(now) }
    }

    private mutating func take(_ note: Membership.Note, _ now: Instant) -> [JobAction] {
        switch note {
        case .frame(.job(let message), let peer):
            let link = port.jobs?.measured?.link ?? membership.configuration.link
            return port.jobs?.received(message, from: peer, link: link, now: now) ?? []
        case .frame(.book(let message), let peer):
            return port.jobs?.received(message, from: peer, now: now) ?? []
        case .frame: return []
        case .rumour(let rumour, let peer): return port.jobs?.heard(rumour, from: peer, now: now) ?? []
        case .refused(let peer): return port.jobs?.linkRefused(by: peer, now: now) ?? []
        case .linkFailed(let peer):
            port.waiting[peer] = nil
            return []
        case .linkUp(let peer):
            for frame in port.waiting.removeValue(forKey: peer) ?? [] {
                _ = membership.sendFrame(frame, to: peer)
            }
            return port.jobs?.compareBooks(with: peer, now: now) ?? []
        }
    }

    private mutating func take(_ event: JobEvent, _ now: Instant) -> [JobAction] {
        guard var jobs = port.jobs else { return [] }
        port.jobs = nil
        defer { port.jobs = jobs }
        switch event {
        case .submit(let id, let title, let request):
            let (refusal, actions) = jobs.submit(id, title: title, request: request, now: now)
            if let refusal { membership.outbox.append(.jobRefused(id, refusal)) }
            return actions
        case .request(let kind, let id, let run, let number):
            return jobs.request(kind, id, run: run, number: number, now: now)
        case .restore(let header, let plan, let done, let blobs, let age):
            return jobs.restore(header, plan: plan, done: done, blobs: blobs, finishedFor: age, now: now)
        case .died(let id, let plan, let deaths):
            jobs.died(id, plan: plan, deaths)
            return []
        case .persisted(let header, let plan): return jobs.persisted(header, plan: plan, now: now)
        case .persistFailed(let header, let reason):
            return jobs.persistFailed(header, reason: reason, now: now)
        case .planned(let id, let run, let plan): return jobs.planned(id, run: run, plan, now: now)
        case .planFailed(let id, let run, let reason):
            return jobs.planFailed(id, run: run, reason: reason, now: now)
        case .planKnown(let id, let plan, let blobs): return jobs.planKnown(id, plan, blobs: blobs, now: now)
        default: return Node.takeResult(event, &jobs, now)
        }
    }

    private static func takeResult(_ event: JobEvent, _ jobs: inout NodeJobs, _ now: Instant) -> [JobAction] {
        switch event {
        case .progressed(let id, let task, let progress):
            jobs.progressed(id, task, to: progress, now: now)
            return []
        case .finished(let id, let plan, let result): return jobs.finished(id, plan: plan, result, now: now)
        case .failed(let id, let plan, let task, let kind):
            return jobs.failed(id, plan: plan, task, kind, now: now)
        case .foundNoRoom(let id, let task): return jobs.foundNoRoom(id, task, now: now)
        case .pulled(let id, let plan, let result, let peer, let outcome):
            return jobs.pulled(id, plan: plan, result, from: peer, outcome, now: now)
        case .lostBlob(let id, let plan, let task):
            jobs.lostBlob(id, plan: plan, task, now: now)
            return []
        case .assembled(let id, let run, let outputs):
            return jobs.assembled(id, run: run, outputs: outputs, now: now)
        case .assemblyFailed(let id, let run, let reason):
            return jobs.assemblyFailed(id, run: run, reason: reason, now: now)
        case .outputsStored(let id, let outputs): return jobs.outputsStored(id, outputs: outputs, now: now)
        case .saturated(let isSaturated):
            jobs.saturated(isSaturated)
            return []
        case .linkMeasured(let link):
            jobs.measured = (link, now)
            return []
        default: return []
        }
    }

    private mutating func perform(_ action: JobAction, _ now: Instant) {
        switch action {
        case .send(let message, let peer): sendOrWait(.job(message), to: peer)
        case .exchange(let message, let peer): sendOrWait(.book(message), to: peer)
        case .rumour(let rumour):
            port.rumours.removeAll { $0.rumour.job == rumour.job }
            port.rumours.append((rumour, membership.gossipRounds))
            if port.nextGossip == .never { port.nextGossip = now + .milliseconds(5) }
        default: membership.outbox.append(.job(action))
        }
    }

    private mutating func sendOrWait(_ frame: Frame, to peer: NodeID) {
        guard !membership.sendFrame(frame, to: peer), membership.table[peer]?.standing.isPresent == true
        else { return }
        port.waiting[peer, default: []].append(frame)
        if let count = port.waiting[peer]?.count, count > JobsPort.mostWaiting {
            port.waiting[peer]?.removeFirst()
        }
    }

    /// Gossip of headers, and the comparison of books with one member each ten seconds.
    private mutating func tick(_ now: Instant) {
        if now >= port.nextGossip {
            for position in port.rumours.indices {
                membership.gossip(port.rumours[position].rumour)
                port.rumours[position].rounds -= 1
            }
            port.rumours.removeAll { $0.rounds <= 0 }
            let interval = membership.configuration.gossipInterval
            port.nextGossip = port.rumours.isEmpty ? .never : now + interval
        }
        guard now >= port.nextComparison else { return }
        port.nextComparison = now + JobsPort.compareEvery
        for slot in membership.table.choose(1, excluding: nil, &port.generator) {
            let peer = membership.table.rows[slot].id
            for action in port.jobs?.compareBooks(with: peer, now: now) ?? [] { perform(action, now) }
        }
    }
}

extension Membership.Note {
    /// Whether a node that knows no job yet has to look at it.
    var isAboutJobs: Bool {
        switch self {
        case .frame, .rumour: true
        case .refused, .linkUp, .linkFailed: false
        }
    }
}
