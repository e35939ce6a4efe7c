import Cluster

// Once the faults stop and the machines hear each other, the cluster must come to rest: L1, L4, L5, L6.

extension Checks {
    /// What still keeps the cluster from rest; nil when views agree with the truth.
    func unrest(_ world: World) -> (invariant: String, what: String)? {
        let running = counted(world)
        for machine in running where machine.node.membership.table.count(.alive) != running.count - 1 {
            return explain(machine, running)
        }
        for machine in running {
            if let found = explain(machine, running) { return found }
        }
        let keys = running.first?.node.membership.keys.table
        for machine in running where machine.node.membership.keys.table != keys {
            return ("L5", "nodes \(running[0].identity.id) and \(machine.identity.id) hold different keys")
        }
        return nil
    }

    /// The machines whose processes have to agree.
    func counted(_ world: World) -> [Machine] {
        let all = world.machines.filter { $0.isRunning }
        // The usual case: with the same keys everywhere nobody is locked out.
        let keys = all.first?.node.membership.keys.table
        if denied.isEmpty, all.allSatisfy({ $0.node.membership.keys.table == keys }) { return all }
        let admitted = all.filter { !isLockedOut($0, all) }
        return admitted.filter { !isDenied($0, admitted) }
    }

    /// A denial that died with the node that was told of it, or that is locked out with it, never was.
    private func isDenied(_ machine: Machine, _ all: [Machine]) -> Bool {
        let id = machine.identity.id
        return denied.contains(id) && all.contains { $0.node.membership.keys.table.isDenied(id) }
    }

    /// A copy that slept while its twin took part in a key rotation, nodes that nobody with the new key met
    /// before the rotation, or one that was forgotten with a disk that was rolled back, hold only keys that
    /// are retired, or that admit members alone; or that they made up since. No protocol can let them in.
    private func isLockedOut(_ machine: Machine, _ all: [Machine]) -> Bool {
        let held = machine.node.membership.keys.table.held
        let others = all.filter { other in
            other !== machine && !other.node.membership.keys.table.held.allSatisfy(held.contains)
        }
        let isStranger = !others.contains { $0.node.membership.table[machine.identity.id] != nil }
        // Those who met it may hear of the retirement too late: only who retires a key asks whom it knows.
        let isUnmet = held.contains { knownAtRetirement[$0]?.contains(machine.identity.id) == false }
        guard isStranger || isUnmet || !disturbedIdentities.isEmpty else { return false }
        let isAlone = !all.contains { $0 !== machine && canTalk(machine, $0) }
        let isDisturbed = disturbedIdentities.contains(machine.identity.number)
        return others.contains { other in
            let keys = other.node.membership.keys.table
            let neverMet = isStranger && machine.node.membership.table[other.identity.id] == nil
            return held.allSatisfy { key in
                guard let stage = keys[key]?.stage else {
                    return isUnmet || isAlone && (isDisturbed || neverMet)
                }
                return stage == .retired || (isStranger && stage == .narrowed)
            }
        }
    }

    private func canTalk(_ a: Machine, _ b: Machine) -> Bool {
        let theirs = b.node.membership.keys.table.held
        return a.node.membership.keys.table.held.contains { theirs.contains($0) }
    }

    private func explain(_ machine: Machine, _ running: [Machine]) -> (invariant: String, what: String)? {
        func who() -> String { "node \(machine.identity.id)" }
        let table = machine.node.membership.table
        for other in running where other !== machine {
            if other.identity.id == machine.identity.id {
                return ("L1", "\(who()) runs twice, on machines \(machine.index) and \(other.index)")
            }
            guard let row = table[other.identity.id] else {
                let keys = canTalk(machine, other) ? "" : " and has no key in common with it"
                return (keys.isEmpty ? "L6" : "L5", "\(who()) does not know \(other.identity.id)\(keys)")
            }
            switch row.standing {
            case .alive: break
            case .suspect: return ("L4", "\(who()) still suspects \(row.id), which runs")
            case .dead where !canTalk(machine, other):
                return ("L5", "\(who()) and \(row.id) have no key in common")
            case .dead: return ("L6", "\(who()) holds \(row.id) dead, which runs")
            case .left: return ("L1", "\(who()) believes that \(row.id) left, which runs")
            }
            if row.start != other.start { return ("L1", "\(who()) knows \(row.id) by an earlier start") }
        }
        for row in table.rows where row.standing.isPresent {
            if !running.contains(where: { $0.identity.id == row.id }) {
                return ("L1", "\(who()) holds \(row.id) \(row.standing), which does not run")
            }
        }
        return nil
    }
}
