// The record of a job and its keepers, planning, hand-over, and what users ask. The record is on two disks
// before the job counts as accepted, the plan before its first task starts (PROTOCOL 3).

extension Coordinator {
    /// Our disk holds the header of `term` and `revision`; `plan` is its plan, if the header names one, and
    /// `log` what this node has learnt of results.
    mutating func persisted(
        term: Term, plan known: JobPlan?, log: DoneLog?, _ view: PeerView, now: Instant
    ) -> [JobAction] {
        guard term == header.term else { return [] }
        var actions: [JobAction] = []
        if state == .storing {
            state = .accepted
            actions.append(.changed(header))
            if inherited { actions += view.others.map { send(.header(header), to: $0.id) } }
            let steps = keepers.storedHere(view, needing: header.reign.fingerprint, now: now)
            actions += take(steps, view, now: now)
        }
        if let known {
            actions += planKnown(known, known: log, view, now: now)
        } else if plan == nil, let digest = header.reign.plan {
            actions.append(
                .fetchPlan(job, digest, from: keepers.ids + able(view).filter { $0 != me }.prefix(8)))
        }
        return actions + advance(view, now: now)
    }

    /// What `Keepers` decided.
    mutating func take(_ steps: [Keepers.Action], _ view: PeerView, now: Instant) -> [JobAction] {
        steps.flatMap { step -> [JobAction] in
            switch step {
            case .ask(let peer): [send(.keep(header), to: peer)]
            case .changed(let ids): change { $0.reign.keepers = ids }
            case .acknowledged(let copies): [.acknowledged(job, copies: copies)]
            }
        }
    }

    /// Nil, or why nobody can have what a node says to have on its disk (S11).
    func flaw(_ term: Term, _ revision: UInt32, _ logged: TaskSet) -> String? {
        if term == header.term, revision > header.reign.revision {
            return "says that it keeps revision \(revision) of \(term), which is at \(header.reign.revision)"
        }
        if !term.isPlausible { return "says that it keeps a term that cannot be" }
        return logged.upper > JobPlan.mostTasks ? "a log of task \(logged.upper - 1), beyond any plan" : nil
    }

    /// A keeper or candidate has the record on disk.
    mutating func kept(
        by peer: NodeID, isNewest: Bool, plan: Digest?, done logged: TaskSet, checksum: UInt64,
        _ view: PeerView,
        now: Instant
    ) -> [JobAction] {
        guard state != .storing else { return [] }
        let count = done?.count ?? 0
        guard plan != header.reign.plan || logged.upper <= count else {
            return [.drop(peer, reason: "a log of task \(logged.upper - 1) of \(count)")]
        }
        let mine = plan == header.reign.plan ? logged : nil
        let steps = keepers.confirmed(
            by: peer, isNewest: isNewest, plan: plan, done: mine, view, needing: header.reign.fingerprint,
            now: now)
        var actions = take(steps, view, now: now) + fetchContent(from: peer)
        if let mine, let done, state != .ended {
            let sum = mine == done.done ? checksum : nil
            if !mine.subtracting(done.done).isEmpty || (sum != nil && sum != done.checksum(of: mine)) {
                actions += ask(peer, for: mine, checksum: sum).map { [$0] } ?? []
            }
        }
        if state == .accepted || state == .sharing { actions += advance(view, now: now) }
        return actions
    }

    /// A candidate or keeper refuses the record.
    mutating func notKept(by peer: NodeID, _ view: PeerView, now: Instant) -> [JobAction] {
        guard state != .storing else { return [] }
        let steps = keepers.refused(by: peer, view, needing: header.reign.fingerprint, now: now)
        let actions = take(steps, view, now: now)
        return state == .sharing ? actions + advance(view, now: now) : actions
    }

    /// Each second: a sign of life to the keepers, and whatever of the record they miss.
    mutating func beatIfDue(_ now: Instant) -> [JobAction] {
        guard beatAt <= now else { return [] }
        beatAt = now + Self.beatEvery
        return keepers.confirmed.flatMap { keeper -> [JobAction] in
            var actions = [send(.beat(revision: header.reign.revision), to: keeper.id)]
            if !keeper.isNewest { actions.append(send(.keep(header), to: keeper.id)) }
            guard let done else { return actions }
            let missing = done.done.subtracting(keeper.done)
            if keeper.plan == done.plan, !missing.isEmpty {
                let results = done.results(of: missing, limit: JobMessage.resultLimit)
                actions.append(send(.results(plan: done.plan, results), to: keeper.id))
            }
            return actions
        }
    }

    // MARK: Planning

    /// Once the record is safe: pin the engine and plan, or go on with an inherited plan.
    mutating func beginPlanning(_ view: PeerView, now: Instant) -> [JobAction] {
        guard keepers.copies > 0 || inherited, header.isLive else { return [] }
        if header.reign.plan != nil {
            guard plan == nil else { return resumeWork(now) }
            return waitForPlan(now)
        }
        let pinned = header.reign.fingerprint ?? view.commonestFingerprint
        guard let print = pinned else { return enter(.waitingForEngine) }
        guard view.own.fingerprint == print, view.own.hasRoom else { return [] }
        state = .planning(print)
        let actions = change {
            $0.reign.fingerprint = print
            $0.reign.phase = .planning
        }
        return actions + [.plan(job, header.state.run, fingerprint: print)]
    }

    /// The plan is ready, and on our disk. `known`: what this node has learnt of its results, if the same
    /// plan was made in an earlier term: facts stay facts.
    mutating func planned(
        _ new: JobPlan, known log: DoneLog?, run: RunID, _ view: PeerView, now: Instant
    ) -> [JobAction] {
        guard awaits(new, of: run) else { return [] }
        guard new.count > 0 else { return fail("the plan has no tasks", now) }
        guard new.count <= JobPlan.mostTasks else {
            return fail(
                "the plan has \(new.count) tasks, above \(JobPlan.mostTasks); take a smaller area", now)
        }
        adopt(new, knowing: log)
        state = .sharing
        let actions = change { $0.reign.plan = new.digest }
        return actions + [.pin(job, plan: new.digest, true)] + startWhenShared(view, now: now)
    }

    /// This is the plan that was asked of the shell, not one that comes after something else was decided.
    func awaits(_ plan: JobPlan, of run: RunID) -> Bool {
        guard case .planning(let print) = state else { return false }
        return plan.fingerprint == print && run == header.state.run
    }

    /// The request cannot be planned.
    mutating func planFailed(_ reason: String, run: RunID, now: Instant) -> [JobAction] {
        guard case .planning = state, run == header.state.run else { return [] }
        return fail(reason, now)
    }

    /// The content of an inherited plan arrived.
    mutating func planKnown(
        _ new: JobPlan, known log: DoneLog?, _ view: PeerView, now: Instant
    ) -> [JobAction] {
        guard plan == nil, new.digest == header.reign.plan else { return [] }
        adopt(new, knowing: log)
        guard state == .accepted, header.isLive else { return [] }
        return resumeWork(now)
    }

    /// Every disk with the plan may be gone for good, so the run does not wait for ever; a resume, when one
    /// of them is back, goes on with all that it holds.
    private mutating func waitForPlan(_ now: Instant) -> [JobAction] {
        let since = planMissing ?? now
        planMissing = since
        guard now - since < Self.planFor else {
            return fail("no live node has the plan; start one that kept the job and resume it", now)
        }
        let waitsForMore: [JobPhase] = [.waitingForRoom, .waitingForEngine]
        guard now - since >= .seconds(3), !waitsForMore.contains(header.reign.phase) else { return [] }
        return enter(.waitingForPlan)
    }

    private mutating func adopt(_ new: JobPlan, knowing log: DoneLog? = nil) {
        (plan, planMissing) = (new, nil)
        if done?.plan != new.digest {
            done = log?.plan == new.digest ? log : DoneLog(plan: new.digest, count: new.count)
        }
        holders = Holders(count: new.count)
    }

    private mutating func resumeWork(_ now: Instant) -> [JobAction] {
        guard let plan else { return [] }
        if holders == nil { adopt(plan) }
        state = inherited ? .gathering(until: now + Self.gatherFor) : .sharing
        return [.pin(job, plan: plan.digest, true)]
    }

    /// The plan is on every keeper's disk: the first task may start.
    mutating func startWhenShared(_ view: PeerView, now: Instant) -> [JobAction] {
        guard state == .sharing, let plan, view.own.hasRoom, keepers.copies > 0 || inherited else {
            return []
        }
        guard keepers.allHave(plan: plan.digest, view, needing: header.reign.fingerprint, now: now) else {
            return []
        }
        return startRunning(view, now: now)
    }

    // MARK: Hand-over

    /// Without the job's engine, or without room, the role goes to another node; the keepers come first.
    mutating func seekSuccessor(_ view: PeerView, now: Instant) -> [JobAction] {
        let needed = header.reign.fingerprint ?? view.commonestFingerprint
        let hasEngine = needed == nil || view.own.fingerprint == needed
        guard !hasEngine || !view.own.hasRoom else {
            successor = nil
            triedSuccessors = []
            let waited = header.reign.phase == .waitingForRoom || header.reign.phase == .waitingForEngine
            return waited && state == .running ? enter(.running) : []
        }
        if var asked = successor, view.isAlive(asked.node), now - asked.since < Self.handOverFor {
            guard now - asked.last >= Self.beatEvery else { return [] }
            asked.last = now
            successor = asked
            return [send(.handOver(header), to: asked.node)]
        }
        let ranked = view.ranked(for: job).filter {
            $0.hasRoom && (needed == nil || $0.fingerprint == needed)
        }.map(\.id)
        let order = keepers.ids.filter(ranked.contains) + ranked.filter { !keepers.ids.contains($0) }
        guard let node = order.first(where: { !triedSuccessors.contains($0) }) ?? order.first else {
            return enter(hasEngine ? .waitingForRoom : .waitingForEngine)
        }
        triedSuccessors = (triedSuccessors + [node]).suffix(max(1, order.count - 1))
        successor = Successor(node: node, since: now, last: now)
        return [send(.handOver(header), to: node)]
    }

    /// When no node with the pinned engine has been alive for 60 s, a new run starts under another.
    mutating func replanWithoutEngine(_ view: PeerView, now: Instant) -> [JobAction] {
        guard state != .ended, header.reign.fingerprint != nil, able(view).isEmpty else {
            engineMissing = nil
            return []
        }
        let since = engineMissing ?? now
        engineMissing = since
        guard now - since >= Self.engineFor, view.commonestFingerprint != nil else {
            return enter(.waitingForEngine)
        }
        engineMissing = nil
        return startRun(after: header.state.run, keepingPlan: false, view, now: now)
    }

    // MARK: Users

    /// Stops the run that the user means.
    mutating func cancel(_ run: RunID, now: Instant) -> (UserAnswer, [JobAction]) {
        let run = fault == .cancelNamesNoRun ? header.state.run : run
        if let known = header.answer(toCancelOf: run) { return (known, []) }
        return (.accepted, end(.cancelled, note: "", holders: []))
    }

    /// Starts run k + 1 after run k failed, ended partial, was cancelled, or lost its outputs.
    mutating func resume(_ run: RunID, _ view: PeerView, now: Instant) -> (UserAnswer, [JobAction]) {
        if run < header.state.run { return (.superseded(by: header.state.run), []) }
        guard run == header.state.run else { return (.refused(reason: "\(run) has not begun"), []) }
        guard !header.isLive else { return (.refused(reason: "\(run) is at work"), []) }
        if case .complete = header.state.manifest, !hasObjectStore,
            header.outputHolders.contains(where: view.mayAnswer) || header.outputHolders.isEmpty
        {
            return (.refused(reason: "\(run) is complete"), [])
        }
        return (.accepted, startRun(after: run, keepingPlan: true, view, now: now))
    }

    /// The next run. The plan stays as long as a live node has its engine: then every result so far counts.
    mutating func startRun(
        after run: RunID, keepingPlan: Bool, _ view: PeerView, now: Instant
    ) -> [JobAction] {
        let keeps = keepingPlan && !able(view).isEmpty
        var actions: [JobAction] = []
        if !keeps, let old = header.reign.plan {
            actions.append(.pin(job, plan: old, false))
            (plan, done, holders) = (nil, nil, nil)
        }
        (claims, failures, copies) = (nil, Failures(), Copies(fault: fault))
        publication = Publication(hasObjectStore: hasObjectStore)
        (pulling, pushed, successor) = ([:], [:], nil)
        inherited = keeps
        actions += change {
            $0.state = RunState(run: run.next, manifest: .running, author: $0.term)
            $0.note = ""
            $0.outputHolders = []
            $0.reign.phase = .accepted
            if !keeps { ($0.reign.plan, $0.reign.fingerprint) = (nil, nil) }
        }
        if state != .storing { state = .accepted }
        if keeps, let digest = header.reign.plan, plan == nil {
            actions.append(.fetchPlan(job, digest, from: keepers.ids))
        }
        return actions + advance(view, now: now)
    }

    /// Another header of the job came: a state above ours is adopted. The caller has seen that our term still
    /// leads.
    mutating func adopted(_ other: JobHeader, _ view: PeerView, now: Instant) -> [JobAction] {
        let old = header
        var merged = header.merged(with: other)
        merged.reign = header.reign
        guard merged != old else { return [] }
        header = merged
        header.reign.revision += 1
        if state == .storing { return [.persist(header, contentFrom: nil)] }
        var actions: [JobAction] = [.persist(header, contentFrom: nil), .changed(header)]
        if !header.isLive, state != .ended {
            actions += stop()
        } else if header.isLive, header.state.run > old.state.run {
            (failures, copies) = (Failures(), Copies(fault: fault))
            publication = Publication(hasObjectStore: hasObjectStore)
            state = .accepted
            (claims, inherited) = (nil, true)
            actions += advance(view, now: now)
        }
        return actions
    }
}

extension JobHeader {
    /// What a user is told who cancels `run`; nil when it goes on and can be stopped.
    func answer(toCancelOf run: RunID) -> UserAnswer? {
        if run < state.run { return .superseded(by: state.run) }
        guard run == state.run else { return .refused(reason: "\(run) has not begun") }
        if state.manifest == .cancelled { return .accepted }
        guard isLive, state.manifest == .running else { return .refused(reason: "\(run) has ended") }
        return nil
    }
}
