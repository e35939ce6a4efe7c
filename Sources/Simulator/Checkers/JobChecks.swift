import Cluster

// S4, S6 and S7 while faults strike; L2 and L3 when they have stopped.

extension Checks {
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

    /// S7: in one process's view a job's state only rises.
    func headerChanged(_ header: JobHeader, by machine: Machine, _ world: World) {
        if let old = jobStates[machine.index]?[header.id], header.state < old {
            fail(
                "S7", "node \(machine.identity.id): job \(header.id) falls from \(old) to \(header.state)",
                world.time)
        }
        jobStates[machine.index, default: [:]][header.id] = header.state
        if case .complete = header.state.manifest, completedAt[header.id] == nil {
            completedAt[header.id] = world.time
        }
    }

    /// S4 at a coordinator: each undone task of its running job is free or claimed, and no claim outlives its
    /// time.
    func checkClaims(_ machine: Machine, _ world: World) {
        guard let jobs = machine.node.jobs, time(of: machine, world) else { return }
        for header in jobs.book.all {
            guard let coordinator = jobs.coordinators[header.id], let claims = coordinator.claims else {
                continue
            }
            if let due = claims.nextDeadline, machine.local(world.time) - due > .seconds(1) {
                fail(
                    "S4", "node \(machine.identity.id): a claim on \(header.id) outlived its time", world.time
                )
            }
        }
    }

    private func time(of machine: Machine, _ world: World) -> Bool {
        machine.isRunning && world.time >= machine.stalledUntil + 1_000_000_000
    }

    /// Where the coordinators of a job stand, for people.
    private func standing(of id: JobID, _ world: World) -> String {
        counted(world).compactMap { machine in
            guard let coordinator = machine.node.jobs?.coordinators[id] else { return nil }
            return "; coordinator \(machine.identity.id) under \(coordinator.header.term): "
                + coordinator.description
        }.joined()
    }

    /// L2 and L3: each job has ended, the same in every view.
    func unfinishedJob(_ world: World) -> (invariant: String, what: String)? {
        let running = counted(world)
        for number in options.jobs.indices {
            let id = Workload.id(number)
            var states: [RunState] = []
            for machine in running {
                guard let header = machine.node.jobs?.book[id] else {
                    if (acknowledged[id] ?? 0) < 2 { continue }
                    return ("S10", "node \(machine.identity.id) does not know the acknowledged job \(id)")
                }
                if header.isLive {
                    return (
                        "L3",
                        "node \(machine.identity.id): job \(id) has not ended: \(header.reign.phase)"
                            + standing(of: id, world)
                    )
                }
                states.append(header.state)
            }
            if let first = states.first, states.contains(where: { $0 != first }) {
                return ("L2", "job \(id) ended in different ways in different views")
            }
        }
        return nil
    }
}
