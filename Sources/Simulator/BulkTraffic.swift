import Cluster

// Bulk data between machines: inputs from the scenes' owner, blobs to the coordinator, copies to a keeper.
// Control frames do not wait behind it: bulk data has its own connections (PROTOCOL section 6).

/// What a machine's network card carries, each way at once.
public struct LinkCapacity: Equatable, Sendable {
    /// Bytes a second that it sends.
    public var up: Double
    /// Bytes a second that it receives.
    public var down: Double

    public init(up: Double, down: Double) { (self.up, self.down) = (up, down) }

    /// The same both ways, in gigabits a second.
    public static func gigabits(_ rate: Double) -> LinkCapacity {
        LinkCapacity(up: rate * 125e6, down: rate * 125e6)
    }
}

/// The transfers under way. Each end's link is shared evenly among its transfers, and a transfer gets the
/// smaller of its two shares: what TCP flows of equal round-trip times come to. (True max-min sharing would
/// hand out what a slower end leaves; so this errs on the slow side.)
struct BulkTraffic {
    struct Transfer {
        let from: Int
        let to: Int
        let size: Int
        let began: Int64
        /// Of the two processes: a transfer dies with either.
        let generations: (Int, Int)
        var left: Double
        var rate = 0.0
        var updated: Int64
        /// Counts changes of the rate; an older appointment is void.
        var version = 0
        let done: (World, Bool) -> Void
    }

    /// Bytes that a machine moved for jobs, and its transfers, oldest first.
    struct Port {
        var sent = 0.0
        var received = 0.0
        var outgoing: [Int] = []
        var incoming: [Int] = []
        /// At the last look, for saturation.
        var sentBefore = 0.0
        var receivedBefore = 0.0
        var isSaturated = false
        /// What a transfer to this machine gets, smoothed; 0: none yet.
        var usualRate = 0.0
    }

    let capacity: LinkCapacity?
    var transfers: [Int: Transfer] = [:]
    var ports: [Port] = []
    private var last = 0
    var isWatched = false

    init(capacity: LinkCapacity?) { self.capacity = capacity }

    mutating func add(_ transfer: Transfer) -> Int {
        last += 1
        transfers[last] = transfer
        ports[transfer.from].outgoing.append(last)
        ports[transfer.to].incoming.append(last)
        return last
    }

    mutating func remove(_ id: Int) -> Transfer? {
        guard let transfer = transfers.removeValue(forKey: id) else { return nil }
        ports[transfer.from].outgoing.removeAll { $0 == id }
        ports[transfer.to].incoming.removeAll { $0 == id }
        return transfer
    }

    /// Books what has flowed until now.
    mutating func settle(_ id: Int, _ now: Int64) {
        guard var transfer = transfers[id] else { return }
        let flowed = min(transfer.left, transfer.rate * Double(now - transfer.updated) / 1e9)
        transfer.left -= flowed
        transfer.updated = now
        ports[transfer.from].sent += flowed
        ports[transfer.to].received += flowed
        transfers[id] = transfer
    }

    /// Shares two machines' links anew; the transfers whose rate changed, with their ends.
    mutating func share(_ from: Int, _ to: Int, _ now: Int64) -> [(id: Int, version: Int, end: Int64)] {
        guard let capacity else { return [] }
        var changed: [(Int, Int, Int64)] = []
        let concerned = ports[from].outgoing + ports[to].incoming.filter { transfers[$0]?.from != from }
        for id in concerned {
            guard let transfer = transfers[id] else { continue }
            let rate = min(
                capacity.up / Double(ports[transfer.from].outgoing.count),
                capacity.down / Double(ports[transfer.to].incoming.count))
            guard rate != transfer.rate else { continue }
            settle(id, now)
            guard var settled = transfers[id] else { continue }
            settled.rate = rate
            settled.version += 1
            transfers[id] = settled
            changed.append((id, settled.version, now + Int64((settled.left / rate * 1e9).rounded(.up))))
        }
        return changed
    }
}

extension World {
    /// Copies bytes from one machine's process to another's; `done` hears whether they came.
    func move(
        _ bytes: Int, from: Machine, to: Machine, _ done: @escaping (World, Bool) -> Void
    ) {
        let generations = (from.generation, to.generation)
        guard bulk.capacity != nil, from !== to else {
            let span = from === to ? Span.zero : .milliseconds(5)
            let (source, target) = (from.index, to.index)
            return at(time + span.nanoseconds) { world in
                done(world, world.isAlive(source, generations.0) && world.isAlive(target, generations.1))
            }
        }
        let (source, target) = (from.index, to.index)
        let roundTrip = network.flight() + network.flight()
        at(time + roundTrip) { world in
            let transfer = BulkTraffic.Transfer(
                from: source, to: target, size: bytes, began: world.time, generations: generations,
                left: Double(bytes), updated: world.time, done: done)
            _ = world.bulk.add(transfer)
            world.reshare(source, target)
            world.watchLinks()
        }
    }

    /// Something that happens at a moment, whoever runs then.
    func at(_ moment: Int64, _ action: @escaping (World) -> Void) {
        queue.push(.work, at: moment, 0, workEvents.put(action))
    }

    private func isAlive(_ index: Int, _ generation: Int) -> Bool {
        machines[index].isRunning && machines[index].generation == generation
    }

    private func reshare(_ from: Int, _ to: Int) {
        for (id, version, end) in bulk.share(from, to, time) {
            at(end) { world in
                if world.bulk.transfers[id]?.version == version { world.finishTransfer(id) }
            }
        }
    }

    private func finishTransfer(_ id: Int) {
        bulk.settle(id, time)
        guard let transfer = bulk.remove(id) else { return }
        reshare(transfer.from, transfer.to)
        let cameThrough =
            isAlive(transfer.from, transfer.generations.0) && isAlive(transfer.to, transfer.generations.1)
            && network.carriesTCP(transfer.from, transfer.to)
        if cameThrough { measureLink(transfer) }
        transfer.done(self, cameThrough)
    }

    /// What one more transfer would get now.
    func link(from: Machine, to: Machine) -> LinkMeasure {
        guard let capacity = bulk.capacity else { return configuration.link }
        let rate = min(
            capacity.up / Double(bulk.ports[from.index].outgoing.count + 1),
            capacity.down / Double(bulk.ports[to.index].incoming.count + 1))
        return LinkMeasure(roundTrip: roundTrip, bytesPerSecond: rate)
    }

    private var roundTrip: Span { network.conditions.latency * 2 + network.conditions.jitter * 2 }

    /// A real shell tells its node what transfers get beside each other, and when the link is full.
    private func measureLink(_ transfer: BulkTraffic.Transfer) {
        let seconds = max(1e-6, Double(time - transfer.began) / 1e9)
        let rate = Double(transfer.size) / seconds
        let before = bulk.ports[transfer.to].usualRate
        let now = before == 0 ? rate : before * 0.8 + rate * 0.2
        bulk.ports[transfer.to].usualRate = now
        deliver(
            machines[transfer.to],
            .job(.linkMeasured(LinkMeasure(roundTrip: roundTrip, bytesPerSecond: now))))
    }

    private func watchLinks() {
        guard !bulk.isWatched else { return }
        bulk.isWatched = true
        at(time + 500_000_000) { $0.lookAtLinks() }
    }

    private func lookAtLinks() {
        guard let capacity = bulk.capacity else { return }
        for id in bulk.transfers.keys.sorted() { bulk.settle(id, time) }
        for index in bulk.ports.indices {
            let port = bulk.ports[index]
            let isFull =
                port.sent - port.sentBefore > 0.9 * 0.5 * capacity.up
                || port.received - port.receivedBefore > 0.9 * 0.5 * capacity.down
            bulk.ports[index].sentBefore = port.sent
            bulk.ports[index].receivedBefore = port.received
            guard isFull != port.isSaturated else { continue }
            bulk.ports[index].isSaturated = isFull
            deliver(machines[index], .job(.saturated(isFull)))
        }
        if bulk.transfers.isEmpty, !bulk.ports.contains(where: { $0.isSaturated }) {
            bulk.isWatched = false
        } else {
            at(time + 500_000_000) { $0.lookAtLinks() }
        }
    }
}
