import Cluster

// What one message must not do, seen by comparing the node before and after it: S8 for orders under a lower
// term, S4 for grants that come too late, S6 for facts that were told, S12 for heartbeats that are old.

/// What a node knew before a message about a job.
struct Glance {
    let message: JobMessage
    let sender: NodeID
    /// The highest term that the node knew.
    let term: Term
    let owned: TaskSet
    let held: TaskSet
    /// What the node, as the coordinator, held for the sender's claims.
    let claimed: TaskSet
    let isOld: Bool
}

extension Checks {
    /// Called before an input; nil when nothing is to be compared afterwards.
    func glance(_ input: Input, _ machine: Machine, _ world: World) -> Glance? {
        guard options.checks, !options.jobs.isEmpty else { return nil }
        if case .job(let event) = input { heard(event, machine, world.time) }
        guard machine.node.membership.isRunning,
            case .frame(.job(let message), let sender, _) = input, message.body.isCompared,
            // A process takes nothing from a peer that has not said who it is: that is told again. Nor from
            // one that was denied and does not know it.
            machine.node.membership.table[sender] != nil,
            !machine.node.membership.keys.table.isDenied(sender),
            let jobs = machine.node.jobs, let header = jobs.book[message.job]
        else { return nil }
        var isOld = false
        if case .heartbeat(_, let beat) = message.body {
            // Nothing is heard of a node that is not known by this start.
            isOld =
                jobs.view.isSameStart(sender, beat.start)
                && isKnown(beat, jobs.coordinators[message.job], from: sender, machine, world.time)
            if !isOld {
                let tasks = beat.gave.reduce(beat.owned) { $0.union($1.tasks) }
                claimed(tasks, of: message.job, at: machine, world.time)
            }
        }
        return Glance(
            message: message, sender: sender, term: header.term, owned: jobs.worker.owned(of: message.job),
            held: jobs.held(of: message.job),
            claimed: jobs.coordinators[message.job]?.claims?.owned(by: sender) ?? TaskSet(), isOld: isOld)
    }

    /// Called after the input of which `glance` was taken.
    func compare(_ glance: Glance, _ machine: Machine, _ world: World) {
        guard machine.isRunning, let jobs = machine.node.jobs else { return }
        let (message, job) = (glance.message, glance.message.job)
        let isCoordinator = jobs.coordinators[job] != nil
        let owned = jobs.worker.owned(of: job)
        let isLower = message.term < glance.term
        func fail(_ invariant: String, _ what: String) {
            self.fail(invariant, "node \(machine.identity.id), job \(job): \(what)", world.time)
        }
        switch message.body {
        case .grant(let grant):
            let taken = owned.subtracting(glance.owned).intersection(grant.tasks)
            guard !taken.isEmpty, !isCoordinator else { return }
            if isLower { fail("S8", "took \(taken) under \(message.term), below \(glance.term)") }
            if let request = grant.request, let asked = watch.asked[machine.index]?[request] {
                let late = Span(nanoseconds: world.time - asked)
                // Clocks differ by at most 2 %.
                if late > .milliseconds(2050) {
                    fail("S4", "took a grant \(late.seconds) s after its request")
                }
            }
        case .reply(let reply):
            let dropped = glance.owned.subtracting(owned).intersection(reply.over.union(reply.elsewhere))
            if isLower, !dropped.isEmpty {
                fail("S8", "dropped \(dropped) under \(message.term), below \(glance.term)")
            }
        case .damaged(let plan, let task):
            if isLower, glance.held.contains(task), !jobs.held(of: job).contains(task) {
                fail("S8", "discarded \(task) under \(message.term), below \(glance.term)")
            }
            if !isLower, let told = machine.work.blobs[plan]?[task]?.digest,
                machine.work.rotten.contains(told)
            {
                machine.work.knownRotten[told, default: []].insert(machine.identity.id)
            }
        case .heartbeat:
            let now = jobs.coordinators[job]?.claims?.owned(by: glance.sender) ?? TaskSet()
            if glance.isOld, now != glance.claimed, !now.isEmpty {
                fail("S12", "an old heartbeat of \(glance.sender) changed its claims to \(now)")
            }
        case .results(let plan, let results):
            guard let done = jobs.done(of: job), done.plan == plan, jobs.book[job]?.isLive == true,
                jobs.coordinators[job]?.isStored ?? true
            else { return }
            let isSane = results.allSatisfy { (0..<done.count).contains($0.task.index) }
            guard isSane, results.count <= JobMessage.resultLimit else { return }
            for result in results where done[result.task] == nil {
                let leads = jobs.coordinators[job].map { "leads under \($0.header.term)" } ?? "keeps"
                return fail("S6", "\(leads), was told the digest of \(result.task) and does not know it")
            }
        default: break
        }
    }

    /// True if these claims heard an equal or later one before; claims that are opened anew know none.
    private func isKnown(
        _ beat: Heartbeat, _ coordinator: Coordinator?, from sender: NodeID, _ machine: Machine,
        _ time: Int64
    ) -> Bool {
        guard let coordinator, coordinator.claims != nil else { return false }
        let pair = JobWatch.Pair(job: coordinator.job, node: sender)
        let new = JobWatch.Beat(
            term: coordinator.header.term, run: coordinator.header.state.run, start: beat.start,
            sequence: beat.sequence, heard: time)
        if let known = watch.beats[machine.index]?[pair], known.covers(new) { return true }
        watch.beats[machine.index, default: [:]][pair] = new
        return false
    }

    /// A coordinator heard of a claim, or made one.
    func claimed(_ tasks: TaskSet, of job: JobID, at machine: Machine, _ time: Int64) {
        guard !tasks.isEmpty else { return }
        watch.receipts[machine.index, default: []].append(
            JobWatch.Receipt(time: time, job: job, tasks: tasks))
    }

    /// S8 at the sender: nobody speaks under a term of its own that is not on its disk.
    func sent(_ message: JobMessage, by machine: Machine, _ world: World) {
        switch message.body {
        case .grant(let grant): claimed(grant.tasks, of: message.job, at: machine, world.time)
        case .ask(let ask, _): watch.asked[machine.index, default: [:]][ask.request] = world.time
        default: break
        }
        guard message.term.node == machine.identity.id, message.term.start == machine.start.bits else {
            return
        }
        let stored = machine.work.headers[message.job]?.term
        if stored.map({ $0 < message.term }) ?? true {
            fail(
                "S8",
                "node \(machine.identity.id) speaks for \(message.job) under \(message.term), "
                    + "its disk has \(stored.map(\.description) ?? "none")", world.time)
        }
    }
}

extension JobMessage.Body {
    /// A message whose effect is compared.
    var isCompared: Bool {
        switch self {
        case .grant, .reply, .damaged, .heartbeat, .results: true
        default: false
        }
    }
}
