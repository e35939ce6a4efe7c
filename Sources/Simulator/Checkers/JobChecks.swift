import Cluster

// L2 and L3: when faults have stopped, each job has one coordinator and comes to an end.

extension Checks {
    /// Where the coordinators of a job stand, for people.
    private func standing(of id: JobID, _ world: World) -> String {
        counted(world).compactMap { machine in
            guard let coordinator = machine.node.jobs?.coordinators[id] else { return nil }
            return "; coordinator \(machine.identity.id) under \(coordinator.header.term): "
                + coordinator.description
        }.joined()
    }

    /// What a job still waits for: one end, the same in every view, and one coordinator at most.
    func unfinishedJob(_ world: World) -> (invariant: String, what: String)? {
        let running = counted(world)
        for number in options.jobs.indices {
            let id = Workload.id(number)
            var states: [RunState] = []
            var coordinators: [NodeID] = []
            var live: (NodeID, JobHeader)?
            for machine in running {
                guard let header = machine.node.jobs?.book[id] else {
                    if (acknowledged[id] ?? 0) < 2 { continue }
                    // S10 promises nothing once the last live disk is down, or shut out, before the record
                    // was on two.
                    let isKnown = running.contains { $0.node.jobs?.book[id] != nil }
                    let isShutOut = world.machines.contains { machine in
                        machine.isRunning && machine.work.isWhole(id) && !running.contains { $0 === machine }
                    }
                    if !isKnown, isShutOut || watch.lost.contains(id) { continue }
                    return ("S10", "node \(machine.identity.id) does not know the acknowledged job \(id)")
                }
                if machine.node.jobs?.coordinators[id] != nil { coordinators.append(machine.identity.id) }
                states.append(header.state)
                if header.isLive, live == nil { live = (machine.identity.id, header) }
            }
            if coordinators.count > 1 { return ("L2", "\(coordinators) all coordinate job \(id)") }
            if let (node, header) = live {
                let phase = header.reign.phase
                return ("L3", "node \(node): job \(id) has not ended: \(phase)" + standing(of: id, world))
            }
            if let first = states.first, states.contains(where: { $0 != first }) {
                return ("L2", "job \(id) ended in different ways in different views")
            }
        }
        return nil
    }
}
