// Results and outputs. A digest is a fact; where its blob is, is soft. A blob is durable with two live
// holders, and the coordinator pulls each once, because it needs them all for the outputs (PROTOCOL 3 and 5).

extension Coordinator {
    // MARK: Facts

    /// One result, from a worker or from a log. `sequence` numbers the change of the sender's blobs.
    mutating func accept(
        _ result: TaskResult, from node: NodeID, start: UInt64, sequence: UInt64?, _ view: PeerView,
        now: Instant
    ) -> [JobAction] {
        guard let plan else { return [] }
        let outcome = done?.add(result) ?? .outside
        switch outcome {
        case .outside: return [.drop(node, reason: "a result of task \(result.task) of \(plan.count)")]
        case .conflict(let kept):
            return [.conflict(job, result.task, kept, result.digest)]
                + fail(
                    "\(result.task) gave two digests, \(kept) and \(result.digest), the second on \(node)",
                    now)
        case .new, .known: break
        }
        if view.isSameStart(node, start) {
            let last = holders?.sequence(of: node, start: start) ?? 0
            holders?.add(result.task, at: node, start: start, sequence: sequence ?? last)
        }
        // A fact without a blob leaves the task undone: it is computed again, and its digest has to match.
        if holders?.held.contains(result.task) == true { claims?.close(TaskSet([result.task])) }
        failures.succeeded(result.task)
        guard outcome == .new else { return follow(result, view, now: now) }
        var actions: [JobAction] = [.persistResults(job, plan: plan.digest, [result])]
        actions += keepers.confirmed.filter { $0.plan == plan.digest && $0.id != node }
            .map { send(.results(plan: plan.digest, [result]), to: $0.id) }
        return actions + follow(result, view, now: now)
    }

    /// A worker finished a task.
    mutating func finished(
        _ result: TaskResult, took: Span?, plan digest: Digest, from node: NodeID, start: UInt64,
        sequence: UInt64,
        _ view: PeerView, now: Instant
    ) -> [JobAction] {
        guard let plan, digest == plan.digest, state != .storing, state != .ended else { return [] }
        let isNew = done?[result.task] == nil
        let actions = accept(result, from: node, start: start, sequence: sequence, view, now: now)
        if state != .ended, let took, plan.all.contains(result.task) {
            copies.measured(took)
            copies.finished(result.task, on: node, took: took)
            if isNew { model.learn(predicted: plan.cost(result.task), took: took) }
        }
        return actions + complete(view, now: now)
    }

    /// Facts from a log: a keeper's, or that of a coordinator who lost the term. They say nothing about
    /// holders.
    mutating func united(
        _ results: [TaskResult], plan digest: Digest, from node: NodeID, _ view: PeerView, now: Instant
    ) -> [JobAction] {
        guard results.count <= JobMessage.resultLimit else {
            return [.drop(node, reason: "\(results.count) results at once")]
        }
        guard let plan, digest == plan.digest, state != .storing, state != .ended else { return [] }
        guard results.allSatisfy({ plan.all.contains($0.task) }) else {
            return [.drop(node, reason: "results of tasks beyond \(plan.count)")]
        }
        let (new, conflicts) = done?.unite(results) ?? ([], [])
        if let first = conflicts.first, let kept = done?[first.task] {
            return [.conflict(job, first.task, kept, first.digest)]
                + fail(
                    "\(first.task) gave two digests, \(kept) and \(first.digest), in the log of \(node)", now)
        }
        guard !new.isEmpty else { return [] }
        let tasks = TaskSet(new.map(\.task))
        for task in tasks.tasks { failures.succeeded(task) }
        if let holders { claims?.close(tasks.intersection(holders.held)) }
        return [.persistResults(job, plan: digest, new)] + followHolders(view, now: now)
            + complete(view, now: now)
    }

    /// A node knows digests: those that we lack are asked for, and all of them when one seems to differ. An
    /// empty question is the receipt.
    func ask(_ node: NodeID, for known: TaskSet, checksum: UInt64?) -> JobAction? {
        guard let done else { return nil }
        let missing = known.subtracting(done.done)
        let differs = missing.isEmpty && checksum.map { $0 != done.checksum(of: known) } ?? false
        return send(.wantResults(plan: done.plan, differs ? known : missing), to: node)
    }

    /// A keeper, or a coordinator who lost the term, tells which digests it knows.
    func knows(_ known: TaskSet, checksum: UInt64, plan digest: Digest, from node: NodeID) -> [JobAction] {
        guard let plan, digest == plan.digest, state != .storing, state != .ended else { return [] }
        guard known.upper <= plan.count else {
            return [.drop(node, reason: "a log beyond \(plan.count) tasks")]
        }
        return ask(node, for: known, checksum: checksum).map { [$0] } ?? []
    }

    // MARK: Holders

    /// A node tells all that it holds.
    mutating func holdings(
        _ held: TaskSet, plan digest: Digest, from node: NodeID, start: UInt64, sequence: UInt64,
        _ view: PeerView,
        now: Instant
    ) -> [JobAction] {
        guard let plan, digest == plan.digest, state != .storing, state != .ended else { return [] }
        guard held.upper <= plan.count else {
            return [.drop(node, reason: "holds task \(held.upper - 1) of \(plan.count)")]
        }
        guard view.isSameStart(node, start) else { return [] }
        reported.insert(node)
        holders?.replace(node, start: start, sequence: sequence, held: held)
        var actions = [send(.holdingsSeen(sequence: sequence), to: node)]
        if let done, !held.subtracting(done.done).isEmpty, let question = ask(node, for: held, checksum: nil)
        {
            actions.append(question)
        }
        if let done { claims?.close(held.intersection(done.done)) }
        if case .gathering = state {
            actions += advance(view, now: now)
        } else if state == .running {
            actions += followHolders(view, now: now) + complete(view, now: now)
        }
        return actions
    }

    /// Drops holders that are gone, recomputes what nobody holds, and copies what is not durable.
    mutating func followHolders(_ view: PeerView, now: Instant) -> [JobAction] {
        guard state == .running, let done else { return [] }
        holders?.forgetTheGone(view)
        guard let holders else { return [] }
        let orphans = done.done.subtracting(holders.held).subtracting(claims?.open ?? TaskSet())
            .subtracting(failures.poison).subtracting(failures.waiting)
        if !orphans.isEmpty, fault != .lostBlobsIgnored {
            publication.interrupt()
            claims?.reopen(orphans)
        }
        pulling = pulling.filter { now - $0.value < Self.pullTime }
        pushed = pushed.filter { now - $0.value < Self.pullTime }
        absent = holders.held.intersection(done.done).subtracting(holders.held(by: me))
            .subtracting(TaskSet(pulling.keys))
        return pullNext(now) + push(view, now: now)
    }

    /// Copies what is absent here, a few blobs at a time.
    private mutating func pullNext(_ now: Instant) -> [JobAction] {
        var actions: [JobAction] = []
        let most = fault == .pullsUnbounded ? .max : Self.pullLimit
        while pulling.count < most, let task = absent.first {
            absent.remove(task)
            actions += pull(task, now)
        }
        return actions
    }

    /// Copies one result where it is needed.
    private mutating func follow(_ result: TaskResult, _ view: PeerView, now: Instant) -> [JobAction] {
        guard state == .running, let holders else { return [] }
        if holders.held(by: me).contains(result.task) {
            return holders.holders(of: result.task).count < Holders.durable ? push(view, now: now) : []
        }
        guard pulling[result.task] == nil else { return [] }
        absent.insert(result.task)
        return pullNext(now)
    }

    private mutating func pull(_ task: TaskID, _ now: Instant) -> [JobAction] {
        guard let done, let digest = done[task], let from = holders?.holders(of: task), !from.isEmpty else {
            return []
        }
        pulling[task] = now
        return [.pull(job, plan: done.plan, TaskResult(task: task, digest: digest), from: from)]
    }

    /// Our own results go to the first keeper.
    private mutating func push(_ view: PeerView, now: Instant) -> [JobAction] {
        guard let done, let holders, let keeper = keepers.ids.first(where: view.isAlive) else { return [] }
        let single = holders.held(by: me).subtracting(holders.held(by: keeper)).intersection(done.done)
            .subtracting(TaskSet(pushed.keys)).tasks.filter {
                holders.holders(of: $0).count < Holders.durable
            }
            .prefix(max(0, Self.holdLimit - pushed.count))
        guard !single.isEmpty else { return [] }
        for task in single { pushed[task] = now }
        return [send(.hold(plan: done.plan, done.results(of: TaskSet(single))), to: keeper)]
    }

    /// An attempt to copy a blob to us ended. `held` is our own report when it succeeded.
    mutating func pulled(
        _ task: TaskID, from node: NodeID, _ outcome: PullOutcome, sequence: UInt64, _ view: PeerView,
        now: Instant
    ) -> [JobAction] {
        pulling[task] = nil
        guard state == .running, let plan, plan.all.contains(task) else { return [] }
        var actions: [JobAction] = []
        switch outcome {
        case .held,
            .mismatch where fault == .mismatchAccepted:
            // The common case, and the one that must not look at the whole table.
            holders?.add(task, at: me, start: start, sequence: sequence)
            return pullNext(now) + complete(view, now: now)
        case .unreachable: holders?.drop(task, at: node)
        case .mismatch:
            holders?.drop(task, at: node)
            failures.avoid(task, on: node)
            actions.append(send(.damaged(plan: plan.digest, task), to: node))
        }
        return actions + followHolders(view, now: now) + complete(view, now: now)
    }

    // MARK: Outputs and end

    /// Everything that the run can have is here: lay it out.
    mutating func complete(_ view: PeerView, now: Instant) -> [JobAction] {
        guard state == .running, let plan, let done, let holders, let claims, claims.open.isEmpty,
            failures.waiting.isEmpty, publication.state == .idle
        else { return [] }
        let here = holders.held(by: me).intersection(done.done)
        let holes = fault == .assembledWithHoles ? 1 : 0
        guard plan.all.subtracting(here).subtracting(failures.poison).count <= holes else { return [] }
        guard !here.isEmpty else { return fail(poisonNote, now) }
        return enter(.assembling)
            + publish(publication.begin(bytes: plan.resultBytes(plan.all), now: now), view, now: now)
    }

    /// What `Publication` decided.
    mutating func publish(_ steps: [Publication.Action], _ view: PeerView, now: Instant) -> [JobAction] {
        steps.flatMap { step -> [JobAction] in
            switch step {
            case .assemble:
                guard let plan, let done, let holders else { return [] }
                missing = plan.all.subtracting(holders.held(by: me).intersection(done.done))
                return [.assemble(job, header.state.run, plan: plan.digest, missing: missing)]
            case .copy(let outputs, let node):
                let early =
                    fault == .publishedTooEarly ? publication.copied(outputs, by: node, me: me) : []
                return [send(.keepOutputs(outputs), to: node)] + publish(early, view, now: now)
            case .publish(let outputs, let holders):
                guard state == .running, let plan else { return [] }
                let count = plan.count - missing.count
                let manifest: Manifest =
                    missing.isEmpty ? .complete(outputs: outputs) : .partial(done: count, outputs: outputs)
                return end(manifest, note: missing.isEmpty ? "" : poisonNote, holders: holders)
            case .held(let node):
                return change { $0.outputHolders = JobHeader.union($0.outputHolders, [node]) }
            case .giveUp(let reason): return fail(reason, now)
            }
        }
    }

    /// The shell laid the outputs out.
    mutating func assembled(_ outputs: Digest, run: RunID, _ view: PeerView, now: Instant) -> [JobAction] {
        guard state == .running, run == header.state.run else { return [] }
        return publish(publication.assembled(outputs, view, keepers: keepers.ids, now: now), view, now: now)
    }

    /// The shell could not.
    mutating func assemblyFailed(_ reason: String, run: RunID, _ view: PeerView, now: Instant) -> [JobAction]
    {
        guard state == .running, run == header.state.run else { return [] }
        return publish(publication.failed(reason: reason, now: now), view, now: now)
    }

    /// A node has the outputs and the manifest on disk.
    mutating func outputsKept(_ outputs: Digest, by node: NodeID, _ view: PeerView, now: Instant)
        -> [JobAction]
    {
        publish(publication.copied(outputs, by: node, me: me), view, now: now)
    }

    private var poisonNote: String {
        let named = failures.poison.tasks.prefix(4).map { "\($0): \(failures.reason($0))" }.joined(
            separator: "; ")
        let rest = failures.poison.count - min(4, failures.poison.count)
        return rest > 0 ? "\(named); and \(rest) more" : named
    }

    /// Ends the run without outputs, loudly.
    mutating func fail(_ reason: String, _ now: Instant) -> [JobAction] {
        guard state != .ended else { return [] }
        return end(.partial(done: done?.done.count ?? 0, outputs: nil), note: reason, holders: [])
    }

    /// Gives the run its manifest. If a lower term published a higher one meanwhile, that one stays, under
    /// our name.
    mutating func end(_ manifest: Manifest, note: String, holders: [NodeID]) -> [JobAction] {
        let mine = RunState(run: header.state.run, manifest: manifest, author: header.term)
        let actions = change {
            if mine > $0.state {
                ($0.state, $0.note, $0.outputHolders) = (
                    mine, note.cut(toBytes: JobHeader.noteLimit), holders
                )
            } else {
                $0.state = RunState(run: mine.run, manifest: $0.state.manifest, author: $0.term)
            }
            $0.reign.phase = .ended
        }
        return actions + stop()
    }

    /// Nothing more is granted; blobs may go.
    mutating func stop() -> [JobAction] {
        state = .ended
        claims = nil
        pulling = [:]
        return header.reign.plan.map { [.pin(job, plan: $0, false)] } ?? []
    }
}
