// Messages from other nodes. Whoever speaks under a lower term is told the higher one and obeyed in nothing;
// whoever speaks under a higher one makes us ask for the header (PROTOCOL 3, S8).

extension NodeJobs {
    /// A message from `peer`; `link` is what was measured of the way there, needed when it asks for work.
    public mutating func received(
        _ message: JobMessage, from peer: NodeID,
        link: LinkMeasure = LinkMeasure(roundTrip: .zero, bytesPerSecond: 0),
        now: Instant
    ) -> [JobAction] {
        var actions: [JobAction] = []
        if let carried = message.body.header {
            guard carried.id == message.job else { return [.drop(peer, reason: "a header of another job")] }
            let steps = book.received(AgedHeader(header: carried, finishedFor: .zero), from: peer, now: now)
            if case .drop? = steps.first { return map(steps, now) }
            actions += map(steps, now)
        }
        guard let header = book[message.job] else {
            return actions + (peer == me ? [] : [.exchange(.want([message.job]), to: peer)])
        }
        if message.term < header.term {
            if peer != me { actions.append(.send(self.message(header, .header(header)), to: peer)) }
            if message.body.isOrder, fault != .lowerTermObeyed { return actions }
        } else if message.term > header.term, peer != me {
            actions.append(.exchange(.want([message.job]), to: peer))
        }
        return actions
            + (message.body.isForCoordinator
                ? forCoordinator(message, from: peer, now: now)
                : settle(forOthers(message, header, from: peer, link: link, now: now), now))
    }

    /// A message of the header exchange.
    public mutating func received(_ exchange: BookMessage, from peer: NodeID, now: Instant) -> [JobAction] {
        map(book.received(exchange, from: peer, now: now), now)
    }

    /// A rumour about a header.
    public mutating func heard(_ rumour: JobRumour, from peer: NodeID, now: Instant) -> [JobAction] {
        map(book.heard(rumour, from: peer), now)
    }

    /// The 10 s exchange with a random member.
    public mutating func compareBooks(with peer: NodeID, now: Instant) -> [JobAction] {
        map(book.compare(with: peer), now)
    }

    // MARK: To the coordinator

    private mutating func forCoordinator(_ message: JobMessage, from peer: NodeID, now: Instant)
        -> [JobAction]
    {
        let id = message.job
        if case .request(let kind, let number) = message.body {
            return userRequest(kind, number, message, from: peer, now: now)
        }
        if case .heartbeat = message.body, let header = book[id], message.run < header.state.run {
            return peer == me ? [] : [.send(self.message(header, .header(header)), to: peer)]
        }
        return coordinate(id, now) { coordinator, view in
            switch message.body {
            case .kept(let term, let revision, let plan, let done, let checksum):
                if let flaw = coordinator.flaw(term, revision, done) { return [.drop(peer, reason: flaw)] }
                let isNewest =
                    term == coordinator.header.term && revision == coordinator.header.reign.revision
                return coordinator.kept(
                    by: peer, isNewest: isNewest, plan: plan, done: done, checksum: checksum, view, now: now)
            case .notKept: return coordinator.notKept(by: peer, view, now: now)
            case .knows(let plan, let tasks, let checksum):
                return coordinator.knows(tasks, checksum: checksum, plan: plan, from: peer)
            case .heartbeat(let plan, let beat):
                return coordinator.heard(beat, plan: plan, from: peer, view, now: now)
            case .finished(let plan, let result, let took, let start, let sequence):
                return coordinator.finished(
                    result, took: took, plan: plan, from: peer, start: start, sequence: sequence, view,
                    now: now)
            case .failed(let plan, let task, let kind):
                return coordinator.failed(task, kind, plan: plan, from: peer, view, now: now)
            case .holdings(let plan, let held, let start, let sequence):
                return coordinator.holdings(
                    held, plan: plan, from: peer, start: start, sequence: sequence, view, now: now)
            case .outputsKept(let outputs): return coordinator.outputsKept(outputs, by: peer, view, now: now)
            default: return []
            }
        }
    }

    /// A user's request that `peer` passes on. The same request again gets the same answer.
    private mutating func userRequest(
        _ kind: UserRequest, _ number: UInt64, _ message: JobMessage, from peer: NodeID, now: Instant
    ) -> [JobAction] {
        let id = message.job
        guard let header = book[id], header.term.node == me || coordinators[id] != nil else { return [] }
        var actions: [JobAction] = []
        let known = answers.first { $0.job == id && $0.node == peer && $0.number == number }
        var answer = known?.answer
        // A run that has ended needs no new reign to say so.
        if answer == nil, kind == .cancel, coordinators[id] == nil {
            answer = header.answer(toCancelOf: message.run)
        }
        if answer == nil {
            // The machine of a job that ended is gone; another reign of the same node begins.
            if coordinators[id] == nil { actions += takeOver(header, now) }
            // Nothing ends under a term that is not on disk; the request comes again each second.
            if kind == .cancel, coordinators[id]?.isStored == false { return actions }
            actions += coordinate(id, now) { coordinator, view in
                let (said, steps) =
                    kind == .cancel
                    ? coordinator.cancel(message.run, now: now)
                    : coordinator.resume(message.run, view, now: now)
                answer = said
                return steps
            }
        }
        guard let answer else { return actions }
        if known == nil {
            answers =
                answers.suffix(Self.answerLimit - 1)
                + [Answer(job: id, node: peer, number: number, answer: answer)]
        }
        return actions + settle([.send(self.message(header, .answer(answer, number: number)), to: peer)], now)
    }

    // MARK: To keepers, workers, thieves, victims and relays

    private mutating func forOthers(
        _ message: JobMessage, _ header: JobHeader, from peer: NodeID, link: LinkMeasure, now: Instant
    ) -> [JobAction] {
        let id = message.job
        let obeyed = fault == .lowerTermObeyed ? message.term : max(message.term, header.term)
        let isFromCoordinator = peer == obeyed.node
        switch message.body {
        case .keep(let new) where isFromCoordinator: return keep(new, from: peer, now: now)
        case .beat where isFromCoordinator:
            watches[id]?.heard(message.term, now: now)
            return [.send(self.message(header, standing(id)), to: peer)]
        case .handOver(let new) where isFromCoordinator && peer != me:
            guard new.term == header.term, coordinators[id] == nil, view.own.hasRoom else { return [] }
            return takeOver(header, contentFrom: peer, now)
        case .results(let plan, let results): return united(results, plan: plan, id, from: peer, now: now)
        case .wantResults(let plan, let tasks): return tell(tasks, of: plan, header, to: peer)
        case .holdingsSeen(let sequence) where isFromCoordinator:
            if records[id]?.holdings?.sequence ?? 0 == sequence { records[id]?.holdingsSeen = true }
            return []
        case .reply(let reply) where isFromCoordinator:
            if reply.wantsHoldings { records[id]?.changed(now: now) }
            return work(worker.replied(reply, of: id, now: now), now)
        case .victim(let victim, let request) where isFromCoordinator:
            guard victim != me else {
                thief.refused(request, byVictim: true, now: now)
                return []
            }
            let steps = thief.pointed(at: victim, request: request, now: now)
            return steps.flatMap { ask($0, now) }
        case .nothing(let request, let byVictim):
            thief.refused(request, byVictim: byVictim, now: now)
            return []
        case .grant(let grant): return granted(grant, message, from: peer, now: now)
        case .ask(let ask, asVictim: false):
            guard coordinators[id] != nil else {
                return [
                    .send(self.message(header, .nothing(request: ask.request, byVictim: false)), to: peer)
                ]
            }
            return coordinate(id, now) { $0.asked(ask, by: peer, $1, now: now) }
        case .ask(let ask, asVictim: true): return asked(ask, header, by: peer, link, now: now)
        case .hold(let plan, let results) where isFromCoordinator && peer != me:
            return hold(results, plan: plan, header, from: peer)
        case .damaged(let plan, let task)
        where isFromCoordinator || coordinators[id] != nil:
            // What a keeper, or one that was replaced since, finds when it copies from its coordinator,
            // nobody else finds until the assembly.
            lostBlob(id, plan: plan, task, now: now)
            return [.discard(id, plan: plan, task)]
        case .keepOutputs(let outputs) where isFromCoordinator && peer != me:
            if records[id]?.outputs == outputs {
                return [.send(self.message(header, .outputsKept(outputs)), to: peer)]
            }
            return view.own.hasRoom ? [.copyOutputs(id, outputs, from: peer)] : []
        case .probe(let origin): return probed(header, message, origin: origin, from: peer)
        case .coordinating(let origin):
            if origin == me {
                watches[id]?.heard(message.term, now: now)
                return []
            }
            return isFromCoordinator ? [.send(message, to: origin)] : []
        case .answer(let answer, let number):
            guard requests.removeValue(forKey: number) != nil else { return [] }
            return [.answered(id, number: number, answer)]
        default: return []
        }
    }

    private mutating func keep(_ new: JobHeader, from peer: NodeID, now: Instant) -> [JobAction] {
        guard let header = book[new.id], peer != me else { return [] }
        guard view.own.hasRoom else { return [.send(message(header, .notKept(reason: "no room")), to: peer)] }
        let wanted = JobRecord.Stored(term: new.term, revision: new.reign.revision)
        if let stored = records[new.id]?.stored, stored == wanted || stored.isNewer(than: wanted) {
            return [.send(message(header, standing(new.id)), to: peer)]
        }
        if records[new.id]?.storing == wanted { return [] }
        var record = records[new.id] ?? JobRecord()
        record.storing = wanted
        record.sources = new.reign.keepers.filter { [me] in $0 != me && $0 != peer }
        records[new.id] = record
        return [.persist(header, contentFrom: peer)]
    }

    /// What a keeper answers to a sign of life of its coordinator.
    func standing(_ id: JobID) -> JobMessage.Body {
        guard let record = records[id], let stored = record.stored else {
            return .notKept(reason: "no record here")
        }
        let done = record.done?.done ?? TaskSet()
        return .kept(
            stored.term, revision: stored.revision, plan: record.plan?.digest, done: done,
            checksum: record.done?.checksum(of: done) ?? 0)
    }

    private mutating func united(
        _ results: [TaskResult], plan: Digest, _ id: JobID, from peer: NodeID, now: Instant
    ) -> [JobAction] {
        guard results.count <= JobMessage.resultLimit else {
            return [.drop(peer, reason: "\(results.count) results at once")]
        }
        if coordinators[id] != nil {
            return coordinate(id, now) { $0.united(results, plan: plan, from: peer, $1, now: now) }
        }
        guard let known = records[id]?.plan, known.digest == plan, peer != me else { return [] }
        let told = fault == .digestLostInMerge ? Array(results.dropFirst()) : results
        guard let (new, conflicts) = records[id]?.unite(told, of: known) else { return [] }
        let loud = conflicts.compactMap { clash in
            records[id]?.done?[clash.task].map { JobAction.conflict(id, clash.task, $0, clash.digest) }
        }
        return loud + (new.isEmpty ? [] : [.persistResults(id, plan: plan, new)])
    }

    /// The coordinator asks for digests, or confirms that it knows ours.
    private mutating func tell(
        _ tasks: TaskSet, of plan: Digest, _ header: JobHeader, to peer: NodeID
    ) -> [JobAction] {
        guard let record = records[header.id], record.plan?.digest == plan || record.holdings?.plan == plan
        else {
            return []
        }
        if tasks.isEmpty {
            records[header.id]?.knowsSeen = true
            return []
        }
        var results = record.done?.plan == plan ? record.done?.results(of: tasks) ?? [] : []
        let told = TaskSet(results.map(\.task))
        if let holdings = record.holdings, holdings.plan == plan {
            results += holdings.results(of: tasks.subtracting(told), limit: .max)
        }
        return stride(from: 0, to: results.count, by: JobMessage.resultLimit).map { at in
            let part = Array(results[at..<min(at + JobMessage.resultLimit, results.count)])
            return .send(message(header, .results(plan: plan, part)), to: peer)
        }
    }

    private mutating func granted(
        _ grant: Grant, _ message: JobMessage, from peer: NodeID, now: Instant
    ) -> [JobAction] {
        guard let header = book[message.job], header.isLive, message.run == header.state.run else {
            return []
        }
        guard grant.tasks.upper <= JobPlan.mostTasks else {
            return [.drop(peer, reason: "grants task \(grant.tasks.upper - 1), beyond any plan")]
        }
        if let request = grant.request {
            guard thief.granted(request, now: now) else { return [] }
        } else if peer != max(message.term, header.term).node {
            return [.drop(peer, reason: "offers tasks of a job that it does not coordinate")]
        }
        let record = records[header.id]
        let plan = record?.plan.flatMap { $0.digest == grant.plan ? $0 : nil }
        let held = record?.holdings.flatMap { $0.plan == grant.plan ? $0 : nil }
        if let plan, grant.tasks.upper > plan.count {
            return [.drop(peer, reason: "grants task \(grant.tasks.upper - 1) of \(plan.count)")]
        }
        return work(
            worker.granted(grant, of: header.id, run: message.run, plan: plan, held: held, now: now), now)
    }

    /// A thief asks us as a victim.
    private mutating func asked(
        _ ask: AskForWork, _ header: JobHeader, by thief: NodeID, _ link: LinkMeasure, now: Instant
    ) -> [JobAction] {
        let (given, steps) = worker.asked(ask, of: header.id, by: thief, over: link, now: now)
        guard !given.isEmpty, let share = worker.shares[header.id] else {
            return [.send(message(header, .nothing(request: ask.request, byVictim: true)), to: thief)]
        }
        let speed = worker.secondsPerCost(of: header.id)
        let grant = Grant(
            plan: share.digest, request: ask.request, tasks: given, isolated: share.isolated(of: given),
            secondsPerCost: speed)
        return [.send(message(header, .grant(grant)), to: thief)] + work(steps, now)
    }

    private mutating func hold(
        _ results: [TaskResult], plan: Digest, _ header: JobHeader, from peer: NodeID
    ) -> [JobAction] {
        guard results.count <= JobMessage.resultLimit else {
            return [.drop(peer, reason: "\(results.count) blobs at once")]
        }
        guard let known = records[header.id]?.plan, known.digest == plan, view.own.hasRoom else { return [] }
        guard results.allSatisfy({ known.all.contains($0.task) }) else {
            return [.drop(peer, reason: "a blob of a task that the plan does not have")]
        }
        let held = records[header.id]?.holdings?.held ?? TaskSet()
        return results.map { result in
            guard held.contains(result.task) else {
                return .pull(header.id, plan: plan, result, from: [peer])
            }
            let sequence = records[header.id]?.holdings?.sequence ?? 0
            let body = JobMessage.Body.finished(
                plan: plan, result, took: nil, start: start, holdSequence: sequence)
            return .send(message(header, body), to: peer)
        }
    }

    /// Somebody cannot hear the coordinator: answer for ourselves, or ask it on their behalf.
    private func probed(
        _ header: JobHeader, _ message: JobMessage, origin: NodeID, from peer: NodeID
    ) -> [JobAction] {
        if let coordinator = coordinators[header.id] {
            guard coordinator.state != .storing, coordinator.header.term >= message.term else { return [] }
            return [.send(coordinator.message(.coordinating(origin: origin)), to: peer)]
        }
        guard origin == peer, message.term >= header.term else { return [] }
        return [.send(message, to: message.term.node)]
    }
}

extension JobRecord.Stored {
    func isNewer(than other: Self) -> Bool {
        term == other.term ? revision > other.revision : term > other.term
    }
}

extension JobMessage.Body {
    /// The header that the message carries.
    var header: JobHeader? {
        switch self {
        case .keep(let header), .header(let header), .handOver(let header): header
        default: nil
        }
    }

    /// Only a coordinator handles it.
    var isForCoordinator: Bool {
        switch self {
        case .kept, .notKept, .knows, .heartbeat, .finished, .failed, .holdings, .outputsKept, .request: true
        default: false
        }
    }

    /// It tells the receiver what to do: not obeyed under a lower term (S8).
    var isOrder: Bool {
        switch self {
        case .keep, .beat, .handOver, .reply, .victim, .grant, .hold, .damaged, .keepOutputs, .wantResults,
            .holdingsSeen:
            true
        default: false
        }
    }
}
