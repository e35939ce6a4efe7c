// What the shell tells, and what a changed header means for this node: who watches, who steps down, whose
// work ends.

extension NodeJobs {
    // MARK: Headers

    /// The book's actions, and what follows from a changed header.
    mutating func map(_ steps: [JobBook.Action], _ now: Instant) -> [JobAction] {
        var actions: [JobAction] = []
        for step in steps {
            switch step {
            case .changed(let header):
                actions.append(.changed(header))
                actions += headerChanged(header, now)
            case .rumour(let rumour): actions.append(.rumour(rumour))
            case .send(let message, let peer): actions.append(.exchange(message, to: peer))
            case .drop(let peer, let reason): actions.append(.drop(peer, reason: reason))
            case .folded(let id): actions += fold(id)
            }
        }
        return actions
    }

    private mutating func headerChanged(_ header: JobHeader, _ now: Instant) -> [JobAction] {
        let id = header.id
        var actions: [JobAction] = []
        if let ours = coordinators[id]?.header.term {
            if header.term > ours, fault != .loserStaysCoordinator {
                stepDown(id)
            } else {
                actions += coordinate(id, now) { $0.adopted(header, $1, now: now) }
                dismiss(id)
            }
        }
        // A successor that lost the plan makes another one: nobody hears of what is done under the old.
        if let share = worker.shares[id],
            !header.isLive || share.run != header.state.run
                || header.reign.plan.map({ $0 != share.digest }) ?? false
        {
            actions += work(worker.end(id), now)
        }
        if header.isLive, coordinators[id] == nil {
            let isNew = records[id, default: JobRecord()].coordinatorChanged(header.term, now: now)
            if watches[id] == nil {
                watches[id] = TakeOver(term: header.term, impatient: header.term.node == me, now: now)
            } else if isNew {
                watches[id]?.heard(header.term, now: now)
            }
            if isNew { actions += work(worker.coordinatorChanged(id, now: now), now) }
        } else {
            watches[id] = nil
        }
        if !header.isLive { actions += wind(down: header) }
        return actions
    }

    /// Another node has the higher term: what we know becomes a record, of which the winner is told.
    private mutating func stepDown(_ id: JobID) {
        guard let coordinator = coordinators.removeValue(forKey: id) else { return }
        var record = records[id] ?? JobRecord()
        record.plan = coordinator.plan ?? record.plan
        record.done = coordinator.done ?? record.done
        records[id] = record
    }

    /// The job ended. What a resume could use stays; the rest is let go.
    private mutating func wind(down header: JobHeader) -> [JobAction] {
        guard var record = records[header.id] else { return [] }
        let actions = record.pinned.map { pin(header.id, $0, false) } ?? []
        if case .complete = header.state.manifest {
            (record.plan, record.done, record.holdings) = (nil, nil, nil)
        }
        record.pinned = nil
        records[header.id] = record
        return actions
    }

    private mutating func fold(_ id: JobID) -> [JobAction] {
        records[id] = nil
        watches[id] = nil
        coordinators[id] = nil
        return worker.end(id).map { step in
            guard case .stop(let id, let task) = step else {
                preconditionFailure("ending a job asks for \(step)")
            }
            return .stop(id, task)
        } + [.forget(id)]
    }

    // MARK: Coordinators come and go

    /// Watches the coordinator of a live job.
    mutating func watch(_ id: JobID, _ now: Instant) -> [JobAction] {
        guard let header = book[id], coordinators[id] == nil else { return [] }
        let steps = watches[id]?.advance(header, view, now: now) ?? []
        return steps.flatMap { follow($0, header, now) }
    }

    mutating func follow(_ step: TakeOver.Action, _ header: JobHeader, _ now: Instant) -> [JobAction] {
        switch step {
        case .probe(let relay): [.send(message(header, .probe(origin: me)), to: relay)]
        case .takeOver: takeOver(header, now)
        }
    }

    /// Begins a new term of the job here.
    mutating func takeOver(_ header: JobHeader, contentFrom peer: NodeID? = nil, _ now: Instant)
        -> [JobAction]
    {
        guard fault != .nobodyTakesOver else { return [] }
        if fault == .doneForgottenAtTakeOver { records[header.id]?.done = nil }
        let record = records[header.id]
        var new = Coordinator(
            takingOver: header, plan: record?.plan, done: record?.done, me: me, start: start,
            hasObjectStore: hasObjectStore, now: now)
        new.fault = fault
        new.lacksContent = true
        let actions = new.begin(contentFrom: peer)
        coordinators[header.id] = new
        watches[header.id] = nil
        return actions + useEarly(header.id, now)
    }

    /// The deliberate fault of a term that is used before it is on disk; nothing otherwise.
    mutating func useEarly(_ id: JobID, _ now: Instant) -> [JobAction] {
        guard fault == .termUsedBeforeDisk, let term = coordinators[id]?.header.term else { return [] }
        return coordinate(id, now) { $0.persisted(term: term, plan: nil, log: nil, $1, now: now) }
    }

    // MARK: Events of the shell

    /// A header is on disk, with its request and its plan, if it names one.
    public mutating func persisted(
        _ header: JobHeader, plan: JobPlan?, now: Instant
    ) -> [JobAction] {
        let id = header.id
        let steps = plan.map { learn($0, id, now) } ?? []
        if coordinators[id]?.header.term == header.term {
            let log = records[id]?.done
            let actions =
                steps
                + coordinate(id, now) { $0.persisted(term: header.term, plan: plan, log: log, $1, now: now) }
            reportOwn(id, now)
            return actions
        }
        // A coordinator that lost its term meanwhile has its header on disk, and no record without the plan.
        guard header.reign.plan == nil || plan?.digest == header.reign.plan else { return steps }
        let stored = JobRecord.Stored(term: header.term, revision: header.reign.revision)
        var record = records[id] ?? JobRecord()
        if record.storing.map({ !$0.isNewer(than: stored) }) ?? false { record.storing = nil }
        if record.stored.map({ stored.isNewer(than: $0) }) ?? true { record.stored = stored }
        records[id] = record
        guard let known = book[id], known.term.node != me else { return steps }
        return steps + [.send(message(known, standing(id)), to: known.term.node)]
    }

    /// The disk did not take a header: it is full, or broken.
    public mutating func persistFailed(_ header: JobHeader, reason: String, now: Instant) -> [JobAction] {
        if coordinators[header.id]?.header.term == header.term {
            coordinators[header.id]?.persistFailed(now: now)
            return []
        }
        guard let known = book[header.id], known.term.node != me else {
            records[header.id]?.storing = nil
            return []
        }
        // A coordinator that was a mere worker has no request to copy; a keeper has.
        if records[header.id]?.storing != nil, let source = records[header.id]?.sources.first {
            records[header.id]?.sources.removeFirst()
            return [.persist(known, contentFrom: source)]
        }
        records[header.id]?.storing = nil
        return [.send(message(known, .notKept(reason: reason)), to: known.term.node)]
    }

    /// The plan of a run is ready and on disk. Who stepped down meanwhile keeps what it knows of the
    /// winner's plan.
    public mutating func planned(
        _ id: JobID, run: RunID, _ plan: JobPlan, now: Instant
    ) -> [JobAction] {
        guard coordinators[id]?.awaits(plan, of: run) == true else { return [] }
        records[id, default: JobRecord()].adopt(plan)
        let known = records[id]?.done
        let steps = work(worker.planKnown(plan, now: now), now)
        return steps
            + coordinate(id, now) { $0.planned(plan, known: known, run: run, $1, now: now) }
    }

    /// The request cannot be planned: the job fails with this sentence.
    public mutating func planFailed(_ id: JobID, run: RunID, reason: String, now: Instant) -> [JobAction] {
        coordinate(id, now) { coordinator, _ in coordinator.planFailed(reason, run: run, now: now) }
    }

    /// A plan's content arrived; `blobs` are results of it that the store already has, from whatever job.
    public mutating func planKnown(
        _ id: JobID, _ plan: JobPlan, blobs: [TaskResult] = [], now: Instant
    ) -> [JobAction] {
        let actions = learn(plan, id, now)
        guard book[id]?.reign.plan == plan.digest else { return actions }
        for blob in blobs where plan.all.contains(blob.task) { hold(blob, id, plan.digest) }
        if !blobs.isEmpty { records[id]?.changed(now: now) }
        let known = records[id]?.done
        return actions + coordinate(id, now) { $0.planKnown(plan, known: known, $1, now: now) }
    }

    /// A running task got on; any number that grows.
    public mutating func progressed(_ id: JobID, _ task: TaskID, to progress: UInt32, now: Instant) {
        worker.progressed(task, of: id, to: progress, now: now)
    }

    /// A task gave a blob, which is on our disk.
    public mutating func finished(_ id: JobID, plan: Digest, _ result: TaskResult, now: Instant)
        -> [JobAction]
    {
        guard let header = book[id], result.task.index >= 0 else { return [] }
        var actions: [JobAction] = []
        let isCurrent = worker.shares[id]?.digest == plan
        // A grant may have been faster than the header that names its plan.
        if header.reign.plan == plan || isCurrent {
            hold(result, id, plan)
            if header.isLive { actions += pin(id, plan, true) }
        }
        let (took, steps) = isCurrent ? worker.finished(result, of: id, now: now) : (nil, [])
        let body = JobMessage.Body.finished(
            plan: plan, result, took: took, start: start, holdSequence: records[id]?.holdings?.sequence ?? 0)
        if header.isLive {
            actions += settle([.send(message(header, body), to: header.term.node)], now)
        }
        return actions + work(steps, now)
    }

    /// A task gave no blob.
    public mutating func failed(
        _ id: JobID, plan: Digest, _ task: TaskID, _ kind: FailureKind, now: Instant
    ) -> [JobAction] {
        guard let header = book[id], worker.shares[id]?.digest == plan else { return [] }
        let report = message(header, .failed(plan: plan, task, kind))
        let steps = worker.failed(task, of: id, now: now)
        return settle([.send(report, to: header.term.node)], now) + work(steps, now)
    }

    /// A result found no room here: nobody's failure. Say it in the view too, so that nothing else is
    /// claimed.
    public mutating func foundNoRoom(_ id: JobID, _ task: TaskID, now: Instant) -> [JobAction] {
        work(worker.failed(task, of: id, now: now), now)
    }

    /// An attempt to copy a blob from `peer` ended.
    public mutating func pulled(
        _ id: JobID, plan: Digest, _ result: TaskResult, from peer: NodeID, _ outcome: PullOutcome,
        now: Instant
    ) -> [JobAction] {
        guard let header = book[id], header.reign.plan == plan else { return [] }
        if outcome == .held {
            hold(result, id, plan)
            if coordinators[id] == nil {
                let body = JobMessage.Body.finished(
                    plan: plan, result, took: nil, start: start,
                    holdSequence: records[id]?.holdings?.sequence ?? 0)
                let pinned = header.isLive ? pin(id, plan, true) : []
                return pinned + [.send(message(header, body), to: header.term.node)]
            }
        }
        if outcome == .mismatch, coordinators[id] == nil, peer == header.term.node {
            return [.send(message(header, .damaged(plan: plan, result.task)), to: peer)]
        }
        let sequence = records[id]?.holdings?.sequence ?? 0
        return coordinate(id, now) {
            $0.pulled(result.task, from: peer, outcome, sequence: sequence, $1, now: now)
        }
    }

    /// A blob of ours turned out to be gone or damaged.
    public mutating func lostBlob(_ id: JobID, plan: Digest, _ task: TaskID, now: Instant) {
        worker.lostBlob(task, of: id, plan: plan)
        if records[id]?.holdings?.plan == plan { records[id]?.holdings?.remove(task) }
        records[id]?.changed(now: now)
    }

    /// The outputs of a run are on our disk.
    public mutating func assembled(_ id: JobID, run: RunID, outputs: Digest, now: Instant) -> [JobAction] {
        records[id, default: JobRecord()].outputs = outputs
        let actions = coordinate(id, now) { $0.assembled(outputs, run: run, $1, now: now) }
        dismiss(id)
        return actions
    }

    /// The outputs could not be made.
    public mutating func assemblyFailed(_ id: JobID, run: RunID, reason: String, now: Instant) -> [JobAction]
    {
        coordinate(id, now) { $0.assemblyFailed(reason, run: run, $1, now: now) }
    }

    /// A copy of the coordinator's outputs and manifest is on our disk.
    public mutating func outputsStored(_ id: JobID, outputs: Digest, now: Instant) -> [JobAction] {
        guard let header = book[id] else { return [] }
        records[id, default: JobRecord()].outputs = outputs
        return settle([.send(message(header, .outputsKept(outputs)), to: header.term.node)], now)
    }

    /// Our link is full, or not any more: nothing more is given away.
    public mutating func saturated(_ isSaturated: Bool) { worker.saturated(isSaturated) }

    // MARK: Helpers

    /// A plan's content is here: for the record if the header names it, and for a share that waits for it
    /// (its grant may have been faster than the header).
    private mutating func learn(_ plan: JobPlan, _ id: JobID, _ now: Instant) -> [JobAction] {
        let named = book[id]?.reign.plan ?? coordinators[id]?.header.reign.plan
        if named == plan.digest || coordinators[id]?.header.reign.plan == plan.digest {
            records[id, default: JobRecord()].adopt(plan)
        }
        return work(worker.planKnown(plan, now: now), now)
    }

    private mutating func hold(_ result: TaskResult, _ id: JobID, _ plan: Digest) {
        records[id, default: JobRecord()].hold(result, plan: plan)
    }

    /// Our own blobs are told to the coordinator that we just became, like everyone's.
    private mutating func reportOwn(_ id: JobID, _ now: Instant) {
        guard let header = book[id], coordinators[id] != nil else { return }
        records[id, default: JobRecord()].coordinatorChanged(header.term, now: now)
    }

    /// A coordinator that has nothing left to do goes; the header stays.
    private mutating func dismiss(_ id: JobID) {
        if coordinators[id]?.isOver == true { coordinators[id] = nil }
    }
}
