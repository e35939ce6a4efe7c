import Cluster

// Users are part of the cluster too: what they ask is answered, whatever dies meanwhile.

extension Checks {
    /// L3 for users: a node that stays up answers a request within half a minute, with "nobody answers" at
    /// worst.
    func checkRequests(_ world: World) {
        for (_, asked) in world.requests.open.sorted(by: { $0.key < $1.key }) {
            let machine = world.machines[asked.machine]
            guard machine.isRunning, machine.generation == asked.generation, !machine.isLeaving else {
                continue
            }
            let since = max(asked.at, machine.stalledUntil)
            if world.time - since > 40_000_000_000 {
                fail("L3", "node \(machine.identity.id) never answered a user's request", world.time)
            }
        }
    }
}
