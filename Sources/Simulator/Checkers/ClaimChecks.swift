import Cluster

// S4, S5 and S13, judged once a virtual second at each job's leader: the process whose term is the highest
// that is on a disk.

extension Checks {
    /// Three seconds of a claim and one heartbeat.
    private static let claimSpan: Int64 = 4_000_000_000
    private static let recomputeSpan: Int64 = 5_000_000_000

    /// Finds the leader of each job, and judges it. A node that is shut out of the cluster may take a job
    /// over for itself: its term is no concern of the others, who do not hear it.
    func sweepLeaders(_ world: World) {
        let members = counted(world)
        for number in options.jobs.indices {
            let id = Workload.id(number)
            guard let (machine, coordinator) = leader(of: id, among: members) else {
                watch.leaders[id] = nil
                watch.unheld[id] = nil
                continue
            }
            follow(machine, coordinator, world)
            guard world.time >= machine.stalledUntil else { continue }
            if let leader = watch.leaders[id] {
                checkClaims(leader, coordinator, machine, world)
                checkHolders(leader, coordinator, machine, world)
                checkCopies(coordinator, machine, world)
            }
        }
        for machine in watch.receipts.keys {
            watch.receipts[machine]?.removeAll { world.time - $0.time > 2 * Checks.claimSpan }
        }
    }

    /// The running process with the highest term of a job that is on its disk.
    func leader(of id: JobID, among machines: [Machine]) -> (Machine, Coordinator)? {
        var best: (Machine, Coordinator)?
        for machine in machines {
            guard let coordinator = machine.node.jobs?.coordinators[id], coordinator.isStored else {
                continue
            }
            if best.map({ $0.1.header.term < coordinator.header.term }) ?? true {
                best = (machine, coordinator)
            }
        }
        return best
    }

    private func follow(_ machine: Machine, _ coordinator: Coordinator, _ world: World) {
        let (time, nodes) = (world.time, world.machines.map(\.identity.id))
        let header = coordinator.header
        var leader = JobWatch.Leader(
            machine: machine.index, generation: machine.generation, term: header.term, run: header.state.run)
        if let known = watch.leaders[header.id], known.isSame(as: leader) {
            leader = known
        } else {
            watch.unheld[header.id] = nil
        }
        // It cannot stop copies of its predecessors, nor of a node whose heartbeats do not arrive, nor any
        // while the answers are lost. What arrived the messages tell, not what it remembers.
        let isMute = world.spoiled[.reply] == .dropped
        disown(time) { key, term, index in
            guard key.job == header.id, term == header.term, !isMute else { return key.job == header.id }
            let pair = JobWatch.Pair(job: header.id, node: nodes[index])
            let heard = watch.beats[machine.index]?[pair]?.heard ?? 0
            return index != machine.index && time - heard > Checks.claimSpan
        }
        let (gathering, running) = (leader.gathering ?? time, leader.running ?? time)
        leader.gathering = coordinator.isGathering ? gathering : nil
        leader.running = coordinator.isRunning ? running : nil
        watch.leaders[header.id] = leader
        claimed(
            machine.node.jobs?.worker.owned(of: header.id) ?? TaskSet(), of: header.id, at: machine, time)
    }

    /// S4: every undone task is claimed, or the coordinator's within three seconds and a heartbeat of the
    /// last claim; a coordinator that took over stops waiting for reports in that time.
    private func checkClaims(
        _ leader: JobWatch.Leader, _ coordinator: Coordinator, _ machine: Machine, _ world: World
    ) {
        func who() -> String { "node \(machine.identity.id), job \(coordinator.job)" }
        let limit = Checks.claimSpan + JobWatch.sampling
        if let since = leader.gathering, world.time - max(since, machine.stalledUntil) > limit {
            return fail("S4", "\(who()): still waits for reports", world.time)
        }
        guard let since = leader.running, let claims = coordinator.claims, let done = coordinator.done else {
            return
        }
        guard world.time - max(since, machine.stalledUntil) > limit else { return }
        let known = done.done.union(claims.open).union(coordinator.failures.poison)
            .union(coordinator.failures.waiting)
        if let nobodys = TaskSet(0, done.count).subtracting(known).first {
            return fail("S4", "\(who()): \(nobodys) is neither done nor to be done", world.time)
        }
        let held = claims.open.subtracting(claims.free)
        guard !held.isEmpty else { return }
        let fresh = (watch.receipts[machine.index] ?? []).filter {
            $0.job == coordinator.job && world.time - $0.time <= limit
        }.reduce(TaskSet()) { $0.union($1.tasks) }
        if let lost = held.subtracting(fresh).first {
            fail("S4", "\(who()): \(lost) is claimed by nobody and not the coordinator's", world.time)
        }
    }

    /// S5: a done task is on the disk of a live node, or the coordinator has it recomputed within 5 s of
    /// learning that it is not. A node is live until the coordinator's membership calls it dead, and of rot
    /// the coordinator learns when it reads the blob, or when it is told by who did.
    private func checkHolders(
        _ leader: JobWatch.Leader, _ coordinator: Coordinator, _ machine: Machine, _ world: World
    ) {
        let id = coordinator.job
        guard leader.running != nil, let claims = coordinator.claims, let done = coordinator.done else {
            watch.unheld[id] = nil
            return
        }
        let table = machine.node.membership.table
        let live = world.machines.filter { other in
            other.isRunning || table[other.identity.id]?.standing.isPresent == true
        }
        let settled = done.done.subtracting(claims.open).subtracting(coordinator.failures.poison)
            .subtracting(coordinator.failures.waiting)
        var unheld: [TaskID: Int64] = [:]
        func holds(_ disk: WorkDisk, _ task: TaskID) -> Bool {
            guard let digest = disk.blobs[done.plan]?[task]?.digest else { return false }
            return digest == done[task] && disk.knownRotten[digest]?.contains(machine.identity.id) != true
        }
        for task in settled.tasks where !holds(machine.work, task) {
            guard !live.contains(where: { holds($0.work, task) }) else { continue }
            let since = watch.unheld[id]?[task] ?? world.time
            unheld[task] = since
            if world.time - max(since, machine.stalledUntil) > Checks.recomputeSpan + JobWatch.sampling {
                fail(
                    "S5",
                    "node \(machine.identity.id), job \(id): \(task) is done, no live node holds its "
                        + "blob, and it is not recomputed", world.time)
            }
        }
        watch.unheld[id] = unheld.isEmpty ? nil : unheld
    }

    // MARK: S13

    /// S13: at most two speculative copies of a task among the nodes that the coordinator believes alive.
    private func checkCopies(_ coordinator: Coordinator, _ machine: Machine, _ world: World) {
        guard let view = machine.node.jobs?.view, let open = coordinator.claims?.open else { return }
        for task in coordinator.copies.raced.intersection(open).tasks {
            let racers = coordinator.copies.racers(of: task).filter(view.isAlive)
            if racers.count > Copies.mostOfATask {
                fail(
                    "S13",
                    "node \(machine.identity.id), job \(coordinator.job): \(racers.count) speculative "
                        + "copies of \(task)", world.time)
            }
        }
    }

    /// A task begins to run: a copy is granted only while speculation is within its share.
    func began(_ id: JobID, _ task: TaskID, _ machine: Machine, _ world: World) {
        let time = world.time
        watch.slotsChanged[machine.index] = time
        claimed(TaskSet([task]), of: id, at: machine, time)
        var processor = watch.processors[id] ?? JobWatch.Processor()
        let copy = speculation(of: id, task, on: machine, world)
        // The first that was granted, which need not be the first that begins; and one only.
        let isFirst = copy.map { $0.isFree && processor.firsts.insert($0.granter).inserted } ?? false
        if let copy, !isFirst {
            processor.copies += 1
            // A coordinator does not know what its predecessors gave to copies.
            let (spent, all) = seconds(of: id, by: copy.granter, world)
            if spent > all * Copies.share {
                fail(
                    "S13",
                    "job \(id): a copy of \(task) begins when speculation took "
                        + "\(spent.seconds) s of \(all.seconds) s", time)
            }
        }
        watch.processors[id] = processor
        watch.runs[machine.index, default: [:]][JobWatch.RunKey(job: id, task: task)] = JobWatch.Run(
            since: time, speculative: copy?.granter, isFirst: isFirst)
    }

    /// The term under which the task was granted to `machine` as a speculative copy, and whether as the one
    /// that is always allowed.
    ///
    /// A coordinator that another replaced may still think of copies at a process that died meanwhile.
    private func speculation(of id: JobID, _ task: TaskID, on machine: Machine, _ world: World)
        -> (granter: Term, isFree: Bool)?
    {
        let node = machine.identity.id
        let term = machine.node.jobs?.book[id]?.term
        for other in world.machines where other.isRunning {
            guard let coordinator = other.node.jobs?.coordinators[id], coordinator.header.term == term,
                coordinator.copies.racers(of: task).contains(node)
            else { continue }
            return (coordinator.header.term, coordinator.copies.isFree(task, at: node))
        }
        return nil
    }

    /// CPU time of speculative copies beyond the first of each term, or of this term, and of everything, so
    /// far.
    private func seconds(of id: JobID, by term: Term? = nil, _ world: World) -> (speculative: Span, all: Span)
    {
        let processor = watch.processors[id] ?? JobWatch.Processor()
        var all = processor.all
        var spent = processor.speculative.reduce(0) { sum, entry in
            term == nil || term == entry.key ? sum + entry.value : sum
        }
        for runs in watch.runs.values {
            for (key, run) in runs where key.job == id {
                all += run.spent(at: world.time)
                guard let granter = run.speculative, !run.isFirst, term == nil || term == granter else {
                    continue
                }
                spent += run.spent(at: world.time)
            }
        }
        return (Span(nanoseconds: spent), Span(nanoseconds: all))
    }

    /// What a shell tells: runs that end, headers that are on disk, users who cancel.
    func heard(_ event: JobEvent, _ machine: Machine, _ time: Int64) {
        switch event {
        case .persisted(let header, _): stored(header, on: machine)
        case .request(.cancel, let id, let run, _):
            watch.cancels.insert(JobWatch.Cancel(job: id, run: run))
        case .finished(let id, _, let result): ended(id, result.task, machine, time, isDone: true)
        case .failed(let id, _, let task, _): ended(id, task, machine, time)
        case .foundNoRoom(let id, let task): ended(id, task, machine, time)
        default: break
        }
    }

    /// A run ends: it finished, failed or was stopped. Until now its own node claimed it, also between two
    /// samples.
    func ended(_ id: JobID, _ task: TaskID, _ machine: Machine, _ time: Int64, isDone: Bool = false) {
        let key = JobWatch.RunKey(job: id, task: task)
        guard let run = watch.runs[machine.index]?.removeValue(forKey: key) else { return }
        claimed(TaskSet([task]), of: id, at: machine, time)
        watch.slotsChanged[machine.index] = time
        charge(run, id, time)
        if !isDone { left(alone: key, by: run, time) }
    }

    /// Copies that nobody can stop any more are speculation up to here: their coordinator died or was
    /// replaced (until there is a successor: seed 700002135), and that knows two claims, not a copy.
    private func disown(_ time: Int64, _ isOrphan: (JobWatch.RunKey, Term, _ machine: Int) -> Bool) {
        for (index, runs) in watch.runs {
            for (key, run) in runs where run.speculative.map({ isOrphan(key, $0, index) }) ?? false {
                charge(run, key.job, time)
                watch.runs[index]?[key] = JobWatch.Run(since: time, speculative: nil, isFirst: false)
            }
        }
    }

    /// A copy whose original failed, was stopped, or died with its process, is no copy any more.
    private func left(alone key: JobWatch.RunKey, by run: JobWatch.Run, _ time: Int64) {
        let left = watch.runs.filter { $0.value[key] != nil }
        guard run.speculative == nil, left.count == 1, let (index, runs) = left.first, let copy = runs[key]
        else { return }
        charge(copy, key.job, time)
        watch.runs[index]?[key] = JobWatch.Run(since: time, speculative: nil, isFirst: false)
    }

    /// The process ends, and all its runs with it.
    func runsEnded(_ machine: Machine, _ time: Int64) {
        disown(time) { _, term, _ in term.start == machine.start.bits }
        for (key, run) in (watch.runs.removeValue(forKey: machine.index) ?? [:]) {
            charge(run, key.job, time)
            left(alone: key, by: run, time)
        }
    }

    /// A machine stands still for so long.
    func stalled(_ machine: Machine, for span: Int64) {
        for key in (watch.runs[machine.index] ?? [:]).keys {
            watch.runs[machine.index]?[key]?.stalled += span
        }
    }

    private func charge(_ run: JobWatch.Run, _ id: JobID, _ time: Int64) {
        watch.processors[id, default: JobWatch.Processor()].all += run.spent(at: time)
        guard let granter = run.speculative, !run.isFirst else { return }
        watch.processors[id]?.speculative[granter, default: 0] += run.spent(at: time)
    }

    /// S13 when a job has ended: each copy beyond the first may have gone on for a heartbeat and its answer
    /// after the share was used up.
    func checkSpeculation(_ id: JobID, _ world: World) {
        guard let processor = watch.processors[id] else { return }
        let (spent, all) = seconds(of: id, world)
        if spent > all * Copies.share + Span.seconds(2) * processor.copies {
            fail("S13", "job \(id): speculation took \(spent.seconds) s of \(all.seconds) s", world.time)
        }
    }
}
