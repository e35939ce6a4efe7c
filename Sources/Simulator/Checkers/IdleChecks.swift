import Cluster

// L7: nobody idles over a second beside profitable work.
//
// A node idles when for a second it has had a free slot and an empty queue, and nothing has begun or ended on
// its slots. Work is profitable for it when it knows the job as running, has its engine and room, and either
// the job's leader has tasks that nobody claims and that this node may run, or a worker would give it a part
// of its queue by the rule of section 4: half of what is left, if that ends both sooner by more than twice
// the round trip and the transfer over the link as it is now, shared with what already flows. Copies of
// running tasks are never counted: whether they gain is a guess.

extension Checks {
    private static let patience: Int64 = 1_000_000_000
    /// Faults have stopped for so long that views may be expected to agree.
    private static let calm: Int64 = 10_000_000_000

    private static let merging: Int64 = 20_000_000_000

    /// Every pair of machines that are up hears each other, both ways, and none is stalled.
    func isConnected(_ world: World, loss: Double) -> Bool {
        world.network.conditions.loss <= loss
            && world.network.ports.allSatisfy { $0 == VirtualNetwork.Port() }
            && world.machines.allSatisfy { !$0.isRunning || world.time >= $0.stalledUntil }
    }

    /// What must hold once faults have stopped, every pair hears each other and views agree, in clusters of
    /// up to 64 nodes: with every sweep.
    func checkWhenCalm(_ world: World) {
        guard world.time - watch.disturbed > Checks.calm, isConnected(world, loss: 0.05),
            world.machines.count <= 64, unrest(world) == nil
        else {
            (watch.idle, watch.rivals) = ([:], [:])
            return
        }
        checkIdling(world)
        checkRivals(world)
    }

    /// L2: two coordinators of a job find out within two comparisons of their books.
    private func checkRivals(_ world: World) {
        let running = counted(world)
        for number in options.jobs.indices {
            let id = Workload.id(number)
            let rivals = running.filter { $0.node.jobs?.coordinators[id]?.isOver == false }
            guard rivals.count > 1 else {
                watch.rivals[id] = nil
                continue
            }
            let since = watch.rivals[id] ?? world.time
            watch.rivals[id] = since
            if world.time - since > Checks.merging {
                let names = rivals.map(\.identity.id)
                fail(
                    "L2", "\(names) all coordinate job \(id), \(Checks.merging / 1_000_000_000) s on",
                    world.time)
            }
        }
    }

    /// L7.
    private func checkIdling(_ world: World) {
        let members = counted(world)
        for machine in members {
            guard let jobs = machine.node.jobs, jobs.worker.isDry,
                world.time - (watch.slotsChanged[machine.index] ?? 0) >= Checks.patience,
                let work = profitable(for: machine, jobs, among: members, world)
            else {
                watch.idle[machine.index] = nil
                continue
            }
            let since = watch.idle[machine.index] ?? world.time
            watch.idle[machine.index] = since
            if world.time - since > Checks.patience {
                fail("L7", "node \(machine.identity.id) idles beside \(work)", world.time)
            }
        }
    }

    /// Work for `machine`. Who is locked out has none for it: a copy of a machine that slept through a change
    /// of keys works on, and its twin is the one that answers to their name.
    private func profitable(
        for machine: Machine, _ jobs: NodeJobs, among members: [Machine], _ world: World
    ) -> String? {
        let own = jobs.view.own
        for number in options.jobs.indices {
            let id = Workload.id(number)
            guard let leader = watch.leaders[id], leader.running != nil, let header = jobs.book[id],
                header.isLive, header.reign.fingerprint == own.fingerprint, own.hasRoom
            else { continue }
            let host = world.machines[leader.machine]
            var ask = jobs.question(about: id, now: machine.local(world.time))
            if let lead = host.node.jobs, let coordinator = lead.coordinators[id], lead.view.own.hasRoom {
                let free = coordinator.grantable(
                    to: machine.identity.id, ask, lead.view, now: host.local(world.time))
                if !free.isEmpty { return "\(free) of job \(id), which nobody claims" }
            }
            for other in members where other !== machine {
                guard let victim = other.node.jobs, jobs.view.isAlive(other.identity.id) else { continue }
                // Nodes know their links only from the last transfers: what pays at half the speed counts.
                var link = world.link(from: other, to: machine)
                link.bytesPerSecond /= 2
                ask.bytesPerSecond = link.bytesPerSecond
                let given = victim.wouldGive(
                    ask, of: id, to: machine.identity.id, over: link, now: other.local(world.time))
                if !given.isEmpty { return "\(given) of job \(id) in the queue of \(other.identity.id)" }
            }
        }
        return nil
    }
}
