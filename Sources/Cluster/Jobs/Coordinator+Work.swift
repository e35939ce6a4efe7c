// Grants, heartbeats and failures: which node does which task, and what happens when one does not (PROTOCOL
// 4).

extension Coordinator {
    /// Every live node told what it holds and owns: no reason to wait longer.
    func hasHeardAll(_ view: PeerView) -> Bool { able(view).allSatisfy(reported.contains) }

    /// Opens what is undone. A fresh run is offered at once; after a take-over nodes keep what they have.
    mutating func startRunning(_ view: PeerView, now: Instant) -> [JobAction] {
        guard let plan, let done, let holders else { preconditionFailure("\(header) runs without a plan") }
        let wasGathering = claims != nil
        state = .running
        if claims == nil { openClaims(plan, done) }
        if fault != .lostBlobsIgnored { claims?.reopen(done.done.subtracting(holders.held)) }
        var actions = enter(.running)
        if !wasGathering, !inherited, view.own.hasRoom { actions += offer(plan, view, now: now) }
        return actions + advanceWork(view, now: now)
    }

    private mutating func openClaims(_ plan: JobPlan, _ done: DoneLog) {
        claims = Claims(open: plan.all.subtracting(done.done), count: plan.count, fault: fault)
    }

    private mutating func offer(_ plan: JobPlan, _ view: PeerView, now: Instant) -> [JobAction] {
        let nodes = view.peers.filter { peer in
            view.isAlive(peer.id) && peer.hasRoom && peer.slots > 0
                && peer.fingerprint == header.reign.fingerprint
                && plan.largestMemory <= peer.memory
        }
        let order = Offers.preference(nodes.map(\.id), holdingInputs: plan.inputHolders)
        let tried = tastes.deal(
            free, of: plan, among: order.map { ($0, view[$0]?.slots ?? 1) }, now: now)
        let offers = tried.isEmpty ? Offers.split(free, of: plan, among: order) : tried
        return offers.map { grant($0.tasks, to: $0.node, request: nil, areCopies: false, now) }
    }

    private mutating func grant(
        _ tasks: TaskSet, to node: NodeID, request: UInt64?, areCopies: Bool, _ now: Instant
    ) -> JobAction {
        claims?.promise(tasks, to: node, now: now)
        copies.ended(tasks, on: node, now: now)
        let isolated = TaskSet(tasks.tasks.filter(failures.needsIsolation))
        let grant = Grant(
            plan: plan?.digest ?? header.request, request: request, tasks: tasks, areCopies: areCopies,
            isolated: isolated, secondsPerCost: model.measured > 0 ? model.secondsPerCost : 0)
        return send(.grant(grant), to: node)
    }

    /// A worker's heartbeat.
    mutating func heard(
        _ beat: Heartbeat, plan digest: Digest, from node: NodeID, _ view: PeerView, now: Instant
    ) -> [JobAction] {
        guard let plan, digest == plan.digest, state != .storing else { return [] }
        if let flaw = beat.flaw(count: plan.count) { return [.drop(node, reason: flaw)] }
        guard view.isSameStart(node, beat.start) else { return [] }
        if state == .ended { return [reply(beat, over: beat.owned, elsewhere: TaskSet(), to: node)] }
        if claims == nil, let done { openClaims(plan, done) }
        noteCrashes(node, start: beat.start, now: now)
        var actions: [JobAction] = []
        for result in beat.unconfirmed {
            actions += accept(result, from: node, start: beat.start, sequence: nil, view, now: now)
        }
        if state == .ended { return actions }
        if beat.secondsPerCost > 0 { model.adopt(secondsPerCost: beat.secondsPerCost) }
        usualSpeed.note(node, beat.secondsPerCost)
        guard let answer = claims?.heard(beat, from: node, of: plan, now: now) else { return actions }
        let stopped = claims.map { copies.heard(beat, from: node, $0, now: now) } ?? TaskSet()
        let over = answer.over.union(stopped)
        actions.append(reply(beat, over: over, elsewhere: answer.elsewhere, to: node))
        return actions + complete(view, now: now)
    }

    private func reply(_ beat: Heartbeat, over: TaskSet, elsewhere: TaskSet, to node: NodeID) -> JobAction {
        let known = holders?.sequence(of: node, start: beat.start)
        let reply = HeartbeatReply(
            sequence: beat.sequence, over: over, elsewhere: elsewhere,
            wantsHoldings: known != beat.holdSequence && (known != nil || beat.holdSequence > 0))
        return send(.reply(reply), to: node)
    }

    private mutating func noteCrashes(_ node: NodeID, start: UInt64, now: Instant) {
        guard let died = claims?.started(node, start: start) else { return }
        copies.ended(TaskSet(died.tasks), on: node, now: now)
        for task in died.tasks { failures.crashed(task, on: node, start: died.start) }
    }

    /// An idle node asks. It gets what is free, else a copy of what is stuck, else the name of the best
    /// victim, else, at the very end, a speculative copy.
    mutating func asked(_ ask: AskForWork, by thief: NodeID, _ view: PeerView, now: Instant) -> [JobAction] {
        // Not even "nothing" is said under a term that a full disk has not taken yet.
        guard state != .storing else { return [] }
        let nothing = send(.nothing(request: ask.request, byVictim: false), to: thief)
        guard let plan, let peer = view[thief], peer.start == ask.start || thief == me else {
            return [nothing]
        }
        guard peer.hasRoom, peer.fingerprint == header.reign.fingerprint, view.own.hasRoom || thief == me
        else {
            return [nothing]
        }
        guard state == .running else { return [nothing] }
        noteCrashes(thief, start: ask.start, now: now)
        claims?.advance(now: now)
        let choice = choose(ask, for: thief, plan, view, now: now)
        let dealt =
            usualSpeed.isSlow(ask.secondsPerCost, now: now)
            ? deal(tastes.claim(by: thief), view, now: now) : []
        switch choice {
        case .free(let tasks):
            return [grant(tasks, to: thief, request: ask.request, areCopies: false, now)] + dealt
        case .rescue(let task):
            copies.rescued(task)
            return [grant(TaskSet([task]), to: thief, request: ask.request, areCopies: true, now)] + dealt
        case .victim(let victim, let cost, let isHopeful):
            claims?.pointed(thief, at: victim, cost: cost / 2, takes: isHopeful, now: now)
            return [send(.victim(victim, request: ask.request), to: thief)] + dealt
        case .speculation(let task):
            let speed = ask.secondsPerCost > 0 ? ask.secondsPerCost : model.secondsPerCost
            let granted = grant(TaskSet([task]), to: thief, request: ask.request, areCopies: true, now)
            copies.speculated(task, on: thief, predicted: plan.cost(task) * speed, now: now)
            return [granted] + dealt
        case nil: return [nothing] + dealt
        }
    }

    /// Tasks that were kept for a node that turned out to be slow, or that does not answer, go to the others
    /// at once: the dear ones among them must not wait until somebody has nothing else to do.
    private mutating func deal(_ tasks: TaskSet, _ view: PeerView, now: Instant) -> [JobAction] {
        guard let plan, let claims else { return [] }
        let left = tasks.intersection(claims.free)
        guard !left.isEmpty else { return [] }
        var takers: [(node: NodeID, cost: Double)] = []
        for node in able(view) where usualSpeed.isFast(node, now: now) {
            takers.append((node, plan.cost(claims.owned(by: node))))
        }
        takers.sort { ($0.cost, $0.node) < ($1.cost, $1.node) }
        return Offers.split(left, of: plan, among: takers.map(\.node)).map {
            grant($0.tasks, to: $0.node, request: nil, areCopies: false, now)
        }
    }

    /// Nodes that could try a task: one without room claims nothing, so nothing waits for its verdict.
    private func willing(_ view: PeerView) -> [NodeID] { able(view).filter { view[$0]?.hasRoom == true } }

    /// Those of them that have inputs on their own disks.
    private func inputHolders(_ plan: JobPlan, _ view: PeerView) -> [NodeID] {
        willing(view).filter(plan.inputHolders.contains)
    }

    /// Tasks that every able node should avoid: then somebody has to try again.
    func hopeless(_ view: PeerView) -> TaskSet {
        willing(view).map { failures.avoided(by: $0) }.reduce(nil as TaskSet?) { $0?.intersection($1) ?? $1 }
            ?? TaskSet()
    }

    /// A task failed on `node`.
    mutating func failed(
        _ task: TaskID, _ kind: FailureKind, plan digest: Digest, from node: NodeID, _ view: PeerView,
        now: Instant
    ) -> [JobAction] {
        guard state == .running, let plan, digest == plan.digest else { return [] }
        guard plan.all.contains(task) else {
            return [.drop(node, reason: "task \(task) of \(plan.count) failed")]
        }
        claims?.withdraw(task, from: node)
        copies.ended(TaskSet([task]), on: node, now: now)
        guard claims?.open.contains(task) == true else { return [] }
        switch failures.failed(
            task, on: node, kind, live: willing(view), holders: inputHolders(plan, view), now: now)
        {
        case .elsewhere: return []
        case .wait, .poison: claims?.close(TaskSet([task]))
        }
        return settle(now) + complete(view, now: now)
    }

    /// Time passes: claims end, inputs are tried again, holders vanish.
    mutating func advanceWork(_ view: PeerView, now: Instant) -> [JobAction] {
        claims?.advance(now: now)
        claims?.keepSilent(only: view.peers)
        usualSpeed.keep(only: able(view))
        let late = deal(tastes.expired(now: now), view, now: now)
        if let claims { copies.advance(claims, now: now) }
        let (retry, poisoned) = failures.advance(
            live: willing(view), holders: plan.map { inputHolders($0, view) } ?? [], now: now)
        if !retry.isEmpty { claims?.reopen(retry) }
        if !poisoned.isEmpty { claims?.close(poisoned) }
        holdBackTooLarge(view, now: now)
        var actions = late + followHolders(view, now: now)
        actions += publish(publication.advance(view, keepers: keepers.ids, now: now), view, now: now)
        if state == .running { actions += settle(now) + complete(view, now: now) }
        return actions
    }

    /// A task that needs more memory than any live node has waits for one that has it, as for an input.
    private mutating func holdBackTooLarge(_ view: PeerView, now: Instant) {
        let able = able(view)
        guard let plan, let free = claims?.free, let most = able.compactMap({ view[$0]?.memory }).max(),
            plan.largestMemory > most
        else { return }
        for task in free.tasks where plan.tasks[task.index].memory > most {
            let reason = "it needs \(plan.tasks[task.index].memory) bytes of memory, live nodes have \(most)"
            _ = failures.failed(task, on: me, .input(reason: reason), live: able, now: now)
            claims?.close(TaskSet([task]))
        }
    }

    /// Names the phase, unless the job waits for more than inputs: that `seekSuccessor` names, and ends.
    private mutating func settle(_ now: Instant) -> [JobAction] {
        let named: [JobPhase] = [.running, .waitingForInput, .assembling]
        guard let claims, named.contains(header.reign.phase), !publication.isAtWork else { return [] }
        return enter(claims.open.isEmpty && !failures.waiting.isEmpty ? .waitingForInput : .running)
    }
}
