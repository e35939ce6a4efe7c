import Cluster

// S11 on what the job machines hold, and the sweep that judges jobs each virtual second.

extension Checks {
    /// All that is judged of jobs each virtual second.
    func sweepJobs(_ world: World) {
        guard options.checks, !options.jobs.isEmpty else { return }
        for machine in world.machines where machine.isRunning && machine.node.jobs != nil {
            if world.machines.count > 64, machine.index % 16 != sweeps % 16 { continue }
            for number in options.jobs.indices { checkLog(of: Workload.id(number), machine, world) }
            checkJobBounds(machine, world)
        }
        sweepLeaders(world)
        checkRecords(world)
        checkWhenCalm(world)
    }

    /// S11 when a coordinator asks for one more blob.
    func checkBounds(of id: JobID, _ machine: Machine, _ world: World) {
        guard let jobs = machine.node.jobs, let coordinator = jobs.coordinators[id] else { return }
        check(coordinator.bounds(jobs.view), machine, world)
    }

    private func check(_ bounds: [JobBound], _ machine: Machine, _ world: World) {
        for bound in bounds where bound.count > bound.limit {
            fail(
                "S11", "node \(machine.identity.id): \(bound.count) \(bound.what), above \(bound.limit)",
                world.time)
        }
    }

    private func checkJobBounds(_ machine: Machine, _ world: World) {
        check(machine.node.jobBounds, machine, world)
        for header in machine.node.jobs?.book.all ?? [] {
            if let flaw = header.flaw {
                fail("S11", "node \(machine.identity.id) holds a header with \(flaw)", world.time)
            }
        }
    }
}
