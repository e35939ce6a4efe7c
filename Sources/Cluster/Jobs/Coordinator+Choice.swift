// What an idle node gets from the coordinator: the rules of section 4 of the protocol, in their order.

extension Coordinator {
    /// What an idle node can have.
    enum Choice {
        case free(TaskSet)
        case rescue(TaskID)
        case victim(NodeID, cost: Double, isHopeful: Bool)
        case speculation(TaskID)
    }

    mutating func choose(
        _ ask: AskForWork, for thief: NodeID, _ plan: JobPlan, _ view: PeerView, now: Instant
    ) -> Choice? {
        guard let claims else { return nil }
        usualSpeed.note(thief, ask.secondsPerCost)
        let kept =
            usualSpeed.isSlow(ask.secondsPerCost, now: now) ? TaskSet() : tastes.claim(by: thief)
        let allowed = allowed(for: thief, memory: ask.memory, plan, view)
        let own = kept.intersection(claims.free).intersection(allowed)
        if !own.isEmpty { return .free(own) }
        let part = part(of: claims, for: thief, ask, allowed: allowed, plan, view, now: now)
        if !part.isEmpty { return .free(part) }
        if let task = copies.rescue(for: thief, claims, plan, model, allowed: allowed, now: now) {
            return .rescue(task)
        }
        let victim = bestVictim(for: thief, ask, plan, claims, view, now: now)
        if let victim, victim.isHopeful { return .victim(victim.node, cost: victim.cost, isHopeful: true) }
        // A copy whose inputs come over a full link delays the first ones.
        let holders = plan.inputHolders.compactMap { claims.nodes[$0] }
        if ask.holdsInputs || !holders.contains(where: \.isSaturated),
            let task = copies.speculation(
                for: thief, secondsPerCost: ask.secondsPerCost, claims, plan, model, allowed: allowed,
                view: view, now: now)
        {
            return .speculation(task)
        }
        return victim.map { .victim($0.node, cost: $0.cost, isHopeful: false) }
    }

    /// What a thief gets of the free tasks: a fair part. A slow node gets what it can do while the others do
    /// the rest, and nothing that alone takes half of that time, unless none of the others may do it; when
    /// only such tasks are left, those that it ends sooner than the others would.
    private mutating func part(
        of claims: Claims, for thief: NodeID, _ ask: AskForWork, allowed: TaskSet, _ plan: JobPlan,
        _ view: PeerView, now: Instant
    ) -> TaskSet {
        let pool = claims.free.intersection(allowed).subtracting(tastes.keptTasks)
        guard !pool.isEmpty else { return pool }
        let fair = plan.cost(claims.open) / Double(max(1, able(view).count))
        guard usualSpeed.isSlow(ask.secondsPerCost, now: now) else {
            return plan.head(of: pool, cost: fair)
        }
        let slowness = ask.secondsPerCost / max(1e-12, usualSpeed.secondsPerCost(now: now))
        let rivals = rivals(of: thief, plan, claims, view, now: now)
        var own = TaskSet(
            pool.tasks.filter { task in
                plan.cost(task) * slowness < fair / 2 || !rivals.contains { $0.allowed.contains(task) }
            })
        if own.isEmpty {
            own = TaskSet(
                pool.tasks.filter { task in
                    let cost = plan.cost(task)
                    return !rivals.contains { $0.ends(task, cost) < cost * ask.secondsPerCost }
                })
        }
        return own.isEmpty ? own : plan.head(of: own, cost: fair / slowness)
    }

    /// A faster node that may come for what is free.
    private struct Rival {
        let allowed: TaskSet
        let secondsPerCost: Double
        /// In how many seconds it has done what it has; nil: it has nothing and did not come, so it cannot,
        /// or one of its tasks takes twice its time, so nobody knows.
        let comesIn: Double?

        /// In how many seconds it would have done `task`.
        func ends(_ task: TaskID, _ cost: Double) -> Double {
            guard let comesIn, allowed.contains(task) else { return .infinity }
            return comesIn + cost * secondsPerCost
        }
    }

    private mutating func rivals(
        of thief: NodeID, _ plan: JobPlan, _ claims: Claims, _ view: PeerView, now: Instant
    ) -> [Rival] {
        able(view).filter { $0 != thief && usualSpeed.isFast($0, now: now) }.map { id in
            let node = claims.nodes[id]
            let rate = node.map(\.secondsPerCost).flatMap { $0 > 0 ? $0 : nil } ?? model.secondsPerCost
            let each = rate / Double(max(1, view[id]?.slots ?? 1))
            let isAwaited =
                node.map { !$0.owned.isEmpty && !$0.isLate(plan, rate: rate, now: now) } ?? false
            return Rival(
                allowed: allowed(for: id, memory: view[id]?.memory ?? 0, plan, view), secondsPerCost: rate,
                comesIn: isAwaited ? node?.ends(plan, each, rate: rate, now: now) : nil)
        }
    }

    /// Free tasks that `thief` would get if it asked now, for the checkers (L7).
    public func grantable(to thief: NodeID, _ ask: AskForWork, _ view: PeerView, now: Instant) -> TaskSet {
        guard let plan, let claims, state == .running, !claims.free.isEmpty else { return TaskSet() }
        var copy = self
        let allowed = allowed(for: thief, memory: ask.memory, plan, view)
        let kept = claims.free.intersection(allowed).intersection(tastes.keptTasks)
        return kept.union(copy.part(of: claims, for: thief, ask, allowed: allowed, plan, view, now: now))
    }

    /// Tasks that `node` may try.
    func allowed(for node: NodeID, memory: Int, _ plan: JobPlan, _ view: PeerView) -> TaskSet {
        let tried = failures.avoided(by: node)
        let avoided = tried.isEmpty ? tried : tried.subtracting(hopeless(view))
        return plan.all.subtracting(avoided).fitting(memory: memory, in: plan)
    }

    /// The node with the most time's worth of tasks that have not started. Each thief that is sent there
    /// counts, so that a crowd of them spreads. A node whose last task goes to another thief, that would end
    /// it sooner itself, or that had nothing for this thief a moment ago, comes after all others, and of
    /// several that had nothing the one that was asked longest ago.
    private func bestVictim(
        for thief: NodeID, _ ask: AskForWork, _ plan: JobPlan, _ claims: Claims, _ view: PeerView,
        now: Instant
    ) -> (node: NodeID, cost: Double, isHopeful: Bool)? {
        var best: Rank?
        // The order of this loop does not matter: the ranks decide.
        for id in claims.loaded where id != thief && view.isAlive(id) {
            guard let node = claims.nodes[id], !node.isSaturated else { continue }
            let cost = node.queuedCost - node.pointedAway
            guard cost > 1e-9 else { continue }
            let rate = node.secondsPerCost > 0 ? node.secondsPerCost : model.secondsPerCost
            let mine = rate / Double(max(1, view[id]?.slots ?? 1))
            let theirs = (ask.secondsPerCost > 0 ? ask.secondsPerCost : rate) / Double(max(1, ask.idleSlots))
            let tried = claims.tried(id, by: thief, now: now)
            let isHopeful =
                !node.isPickedClean && tried == nil
                && (node.queued > 1 || node.queuedCost * theirs < node.ends(plan, mine, rate: rate, now: now))
            let rank = Rank(node: id, isHopeful: isHopeful, tried: tried, load: cost * mine, cost: cost)
            if best.map({ rank.beats($0) }) ?? true { best = rank }
        }
        return best.map { ($0.node, $0.cost, $0.isHopeful) }
    }

    /// How a victim compares with others, for one thief.
    private struct Rank {
        let node: NodeID
        let isHopeful: Bool
        let tried: Instant?
        let load: Double
        let cost: Double

        func beats(_ other: Rank) -> Bool {
            if isHopeful != other.isHopeful { return isHopeful }
            if tried != other.tried {
                guard let tried else { return true }
                return other.tried.map { tried < $0 } ?? false
            }
            return load > other.load || (load == other.load && node < other.node)
        }
    }
}
