import Cluster

// S11 and S12 on what is sent: sizes, whom a rumour reaches, and the bounds on what a node holds.

extension Checks {
    /// S11: a datagram fits, and gossip tells nobody what it said itself. (An answer to an earlier start of
    /// the receiver carries the newer record on purpose.)
    func sent(_ datagram: Datagram, _ size: Int, by machine: Machine, _ world: World) {
        guard options.checks else { return }
        let limit = world.configuration.datagramLimit
        if size > limit {
            fail(
                "S11", "node \(machine.identity.id) sends a datagram of \(size) bytes, above \(limit)",
                world.time)
        }
        guard datagram.message == .gossip else { return }
        for rumour in datagram.rumours where rumour.subject == datagram.target {
            guard case .alive(let record) = rumour, datagram.target != machine.identity.id else { continue }
            let receiver = runningAt[secrets[datagram.target]?.number ?? 0] ?? nil
            if let receiver, world.machines[receiver].start == record.start {
                fail(
                    "S11", "node \(machine.identity.id) sends \(datagram.target) its own alive rumour",
                    world.time)
            }
        }
    }

    /// S11: control frames hold at most 1 MiB and one bucket. S12: no frame goes to whom the sender denied.
    func sent(_ frame: Frame, _ size: Int, by machine: Machine, to peer: NodeID, _ world: World) {
        guard options.checks else { return }
        if size > world.configuration.chunkLimit * 2 {
            fail("S11", "node \(machine.identity.id) sends a frame of \(size) bytes", world.time)
        }
        if case .job(let message) = frame { sent(message, by: machine, world) }
        if machine.node.membership.keys.table.isDenied(peer), machine.isRunning {
            fail("S12", "node \(machine.identity.id) sends a frame to \(peer), which it denied", world.time)
        }
    }

    /// S11 after each step, as far as it is cheap.
    func stepped(_ machine: Machine, _ world: World) {
        let relayed = machine.node.membership.relayedProbes
        if relayed > world.configuration.mostRelayed {
            fail("S11", "node \(machine.identity.id) relays \(relayed) probes", world.time)
        }
    }

    /// S11: what a node holds for others is bounded.
    func checkBounds(_ machine: Machine, _ world: World) {
        let membership = machine.node.membership
        let configuration = world.configuration
        if membership.queuedRumours > 2 * membership.table.count + 65 {
            fail("S11", "node \(machine.identity.id) queues \(membership.queuedRumours) rumours", world.time)
        }
        if membership.table.count > configuration.mostMembers {
            fail("S11", "node \(machine.identity.id) holds \(membership.table.count) members", world.time)
        }
        if membership.suspicionCount != membership.table.count(.suspect) {
            fail(
                "S11",
                "node \(machine.identity.id): \(membership.suspicionCount) suspicions, "
                    + "\(membership.table.count(.suspect)) suspects", world.time)
        }
    }

    /// The sweep of each virtual second: whole tables against what was published. In large clusters a
    /// sixteenth of the nodes each second.
    func sweep(_ world: World) {
        guard options.checks else { return }
        sweeps += 1
        sweepJobs(world)
        for machine in world.machines where machine.isRunning {
            if world.machines.count > 64, machine.index % 16 != sweeps % 16 { continue }
            checkBounds(machine, world)
            checkRequests(world)
            for row in machine.node.membership.table.rows {
                func who() -> String { "node \(machine.identity.id) about \(row.id)" }
                guard let subject = secrets[row.id]?.number else {
                    return fail("S2", "\(who()): nobody", world.time)
                }
                let last = belief(machine.index, subject)
                if last.standing != row.standing || last.version != row.version {
                    fail("S1", "\(who()): the row changed without being published", world.time)
                }
                if row.record.version > row.version {
                    return fail("S1", "\(who()): behind its record", world.time)
                }
            }
        }
    }

    /// L5 as safety: when a key comes into use, every live node that the user sees holds it.
    func keysUsed(_ keys: KeyTable, by machine: Machine, _ world: World) {
        guard options.checks else { return }
        for key in keys.keys where key.stage == .retired && knownAtRetirement[key.id] == nil {
            let table = machine.node.membership.table
            knownAtRetirement[key.id] = Set(table.rows.map(\.id) + [machine.identity.id])
        }
        // The first time that a decision is seen: whose disk was rolled back hears of its own from others.
        let isNew = !usesSeen.contains(keys.use)
        if isNew { usesSeen.append(keys.use) }
        guard isNew, keys.use.author == machine.identity.id, keys.use.key != machine.keys.use.key else {
            return
        }
        guard keys.denied == machine.keys.denied else { return }
        for row in machine.node.membership.table.rows where row.standing == .alive {
            if !row.record.keys.contains(keys.use.key) {
                fail("L5", "key \(keys.use.key) comes into use and \(row.id) lacks it", world.time)
            }
        }
    }
}
