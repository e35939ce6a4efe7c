import Cluster

// S6, S7, S9 and S10: what is known of a job only grows, and outlives those who know it.

extension Checks {
    // MARK: What a shell is asked to do

    /// Called before a shell carries out what a job machine wants.
    func acted(_ action: JobAction, by machine: Machine, _ world: World) {
        guard options.checks else { return }
        switch action {
        case .start(let id, let task, _, _): began(id, task, machine, world)
        case .stop(let id, let task): ended(id, task, machine, world.time)
        case .acknowledged(let id, let copies): checkAcknowledged(id, copies, machine, world)
        case .pull(let id, _, _, _): checkBounds(of: id, machine, world)
        case .assemble(let id, _, _, let missing): checkHoles(missing, of: id, machine, world)
        default: break
        }
    }

    /// S6: under one fingerprint a task has one digest.
    func facts(_ results: [TaskResult], of plan: Digest, _ world: World) {
        guard let tasks = world.plans[plan]?.tasks else { return }
        for result in results where tasks.indices.contains(result.task.index) {
            let key = tasks[result.task.index].key
            if let known = facts[key], known != result.digest {
                fail("S6", "task \(result.task) has the digests \(known) and \(result.digest)", world.time)
            }
            facts[key] = result.digest
        }
    }

    // MARK: Headers

    /// S7: in one process's view a job's state only rises, and a run is cancelled only if a user named it.
    func headerChanged(_ header: JobHeader, by machine: Machine, _ world: World) {
        func who() -> String { "node \(machine.identity.id), job \(header.id)" }
        let old = jobStates[machine.index]?[header.id]
        if let old, header.state < old {
            fail("S7", "\(who()): falls from \(old) to \(header.state)", world.time)
        }
        jobStates[machine.index, default: [:]][header.id] = header.state
        if options.checks { checkLog(of: header.id, machine, world) }
        guard old != header.state else { return }
        if case .complete = header.state.manifest, completedAt[header.id] == nil {
            completedAt[header.id] = world.time
        }
        guard options.checks else { return }
        if header.state.manifest == .cancelled,
            !watch.cancels.contains(JobWatch.Cancel(job: header.id, run: header.state.run))
        {
            fail("S7", "\(who()): \(header.state.run) is cancelled, which no user asked", world.time)
        }
        if let outputs = header.state.manifest.outputs { checkOutputs(outputs, header, machine, world) }
        if !header.isLive { checkSpeculation(header.id, world) }
    }

    /// S9: published outputs are what a cluster of one node makes of the same plan. S10: when they are
    /// published they are on two disks, unless there was only one node.
    private func checkOutputs(_ outputs: Digest, _ header: JobHeader, _ machine: Machine, _ world: World) {
        func who() -> String { "node \(machine.identity.id), job \(header.id)" }
        guard let made = watch.outputs[outputs], let count = world.plans[made.plan]?.count else {
            return fail("S9", "\(who()): publishes outputs that nobody made", world.time)
        }
        if made.expected != outputs {
            fail("S9", "\(who()): the outputs differ from those of a one-node run", world.time)
        }
        let done =
            switch header.state.manifest {
            case .partial(let done, _): done
            default: count
            }
        if done != count - made.missing.count {
            fail("S9", "\(who()): says \(done) of \(count) tasks, \(made.missing) are missing", world.time)
        }
        let author = header.state.author
        guard author.node == machine.identity.id, author.start == machine.start.bits else { return }
        let copies = world.machines.count { $0.work.outputs.contains(outputs) }
        let others = machine.node.jobs?.view.others.count { $0.hasRoom } ?? 0
        if copies < min(2, 1 + others) {
            fail("S10", "\(who()): publishes outputs that are on \(copies) disk", world.time)
        }
    }

    /// S9: what is left out was given up.
    private func checkHoles(_ missing: TaskSet, of id: JobID, _ machine: Machine, _ world: World) {
        guard let poison = machine.node.jobs?.coordinators[id]?.failures.poison,
            let left = missing.subtracting(poison).first
        else { return }
        fail(
            "S9", "node \(machine.identity.id), job \(id): outputs without \(left), which nobody gave up",
            world.time)
    }

    /// Outputs were laid out from these blobs.
    func assembled(_ plan: Digest, _ missing: TaskSet, _ machine: Machine, _ world: World) -> Digest {
        let blobs = machine.work.blobs[plan] ?? [:]
        let outputs = Workload.outputs(of: plan, missing, world) { blobs[$0]?.digest }
        watch.outputs[outputs] = JobWatch.Outputs(
            plan: plan, missing: missing,
            expected: Workload.outputs(of: plan, missing, world) { Workload.result(plan, $0).digest })
        return outputs
    }

    // MARK: S10

    /// A node's disk took the header of a job.
    func stored(_ header: JobHeader, on machine: Machine) {
        watch.stored[header.id, default: []].insert(machine.identity.id)
        guard !denied.contains(machine.identity.id), machine.work.isWhole(header.id) else { return }
        watch.lost.remove(header.id)
    }

    private func checkAcknowledged(_ id: JobID, _ copies: Int, _ machine: Machine, _ world: World) {
        // A node that starts again with a new key, or as a clone, keeps its disk, and is another node
        // (PROTOCOL 1). Until its silence shows, nobody can tell that the former one is gone with the same
        // disk: so nodes are counted. Two copies are on two disks all the same.
        let present = world.machines.filter { $0.work.headers[id] != nil }
        let nodes = (watch.stored[id] ?? []).union(present.map(\.identity.id)).count
        // Who does not coordinate the job answers a repeated request with what the header names; that one of
        // those disks was rolled back since, only its node could tell.
        let coordinates = machine.node.jobs?.coordinators[id] != nil
        if nodes < copies || (coordinates && present.count < min(2, copies)) {
            fail(
                "S10",
                "node \(machine.identity.id) says that job \(id) is on \(copies) disks, it is on "
                    + "\(present.count)", world.time)
        }
    }

    /// Nodes are denied: their disks are nobody's any more.
    func denied(_ nodes: [NodeID], _ world: World) {
        for id in nodes where !denied.contains(id) {
            denied.insert(id)
            for machine in world.machines where machine.identity.id == id { diskWentDown(machine, world) }
        }
    }

    /// A process ended, or was shut out, and its disk with it: the only live one for some jobs.
    func diskWentDown(_ machine: Machine, _ world: World) {
        guard !machine.work.headers.isEmpty else { return }
        let others = counted(world).filter { $0 !== machine }
        for (id, header) in machine.work.headers where machine.work.holds(header) {
            let isElsewhere = others.contains { $0.work.holds(header) }
            if !isElsewhere { watch.lost.insert(id) }
        }
    }

    /// A process starts with what its disk holds.
    func diskCameUp(_ machine: Machine) {
        guard !denied.contains(machine.identity.id) else { return }
        watch.lost.subtract(machine.work.headers.keys.filter(machine.work.isWhole))
    }

    /// S10: a job that was acknowledged with two copies is on two live disks again 5 s after a kill, if there
    /// are two nodes, nothing else is wrong and the loss is at most 5 %. When all of its last two or more
    /// disks went down before that, its record is gone until one of them comes back.
    func checkRecords(_ world: World) {
        for number in options.jobs.indices {
            let id = Workload.id(number)
            guard let leader = watch.leaders[id], (acknowledged[id] ?? 0) >= 2,
                isConnected(world, loss: 0.05), world.time - watch.disturbed > 1_000_000_000
            else {
                watch.thin[id] = nil
                continue
            }
            let machine = world.machines[leader.machine]
            guard let jobs = machine.node.jobs, let header = jobs.coordinators[id]?.header, header.isLive
            else {
                watch.thin[id] = nil
                continue
            }
            // A worker that took over may have the plan alone: that is not the record.
            let disks = world.machines.count { $0.isRunning && $0.work.holds(header) }
            let helpers = jobs.view.others.count { peer in
                peer.hasRoom && (header.reign.fingerprint.map { $0 == peer.fingerprint } ?? true)
                    && runningAt[secrets[peer.id]?.number ?? 0] != nil
            }
            let isGone = disks == 0 && watch.lost.contains(id)
            guard disks < 2, helpers > 0, !isGone else {
                watch.thin[id] = nil
                continue
            }
            let since = watch.thin[id] ?? world.time
            watch.thin[id] = since
            if world.time - since > 5_000_000_000 {
                fail("S10", "job \(id) has been on \(disks) live disk for over 5 s", world.time)
            }
        }
    }

    // MARK: S6

    /// S6: what a process knows of results only grows, as long as it runs and the job lives under one plan.
    func checkLog(of id: JobID, _ machine: Machine, _ world: World) {
        guard let jobs = machine.node.jobs else { return }
        let before = watch.logs[machine.index]?[id]
        let now = jobs.done(of: id)
        watch.logs[machine.index, default: [:]][id] = now
        guard let before, let header = jobs.book[id], header.isLive, header.reign.plan == before.plan else {
            return
        }
        func who() -> String { "node \(machine.identity.id), job \(id)" }
        guard let now, now.plan == before.plan else {
            if !before.done.isEmpty { fail("S6", "\(who()): forgot all that is done", world.time) }
            return
        }
        if let lost = before.done.subtracting(now.done).first {
            fail("S6", "\(who()): forgot the digest of \(lost)", world.time)
        } else if now.checksum(of: before.done) != before.checksum(of: before.done) {
            fail("S6", "\(who()): a task has another digest than before", world.time)
        }
    }
}
