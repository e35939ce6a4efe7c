import Cluster

/// A host with a disk, a clock, a processor that may stall, and at most one process on it.
final class Machine {
    let index: Int
    let address: Address
    /// Whose key lies on the disk. A clone shares it; a new key changes it.
    var identity: Identity
    var disk: VirtualDisk
    var hostIsUp = true

    /// The process; valid while `isRunning`.
    var node: Node
    var isRunning = false
    /// Counts processes, so that what was meant for an earlier one is not given to a later.
    var generation = 0
    var start = StartID(bits: 0)
    /// Its datagrams are sealed with this key and opened with these.
    var keys: KeyTable
    /// When the process was told to end, it is no longer counted on.
    var isLeaving = false

    /// Local clock = offset + true time × (1 + drift).
    var clockOffset: Int64 = 0
    var drift = 0.0
    var stalledUntil: Int64 = 0
    var backlog: [Input] = []
    /// On its way to the disk.
    var pendingWrites: [UInt64: DurableFact] = [:]
    var armedAt: Int64 = .max
    var links: [NodeID: Int] = [:]
    /// What its disk holds for jobs.
    var work = WorkDisk()
    /// The same when the disk's image was taken.
    var workImage: WorkDisk?
    /// Which engine it has.
    var engine = 1
    /// What is added to the clock's origin when the next process starts.
    var clockJump: Int64 = 0
    /// Seconds that a task of one second takes here: 1 / speed.
    var secondsPerCost = 1.0
    /// What its process computes at the moment.
    var bench = Workbench(cores: 2)
    /// How many grants its node had, and was heard of.
    var heardGrants = 0

    var datagramBytes = 0
    var frameBytes = 0
    /// The process is killed when so many more effects were carried out.
    var killAfterEffects: Int?
    /// It stalled or was cut off at some time: its deaths are not false ones.
    var wasDisturbed = false

    /// A key pair, as far as the simulation needs one.
    struct Identity: Equatable {
        let number: Int
        let id: NodeID
        /// What only the owner can put under a record.
        let secret: UInt64
    }

    init(index: Int, identity: Identity, keys: KeyTable, node: Node) {
        self.index = index
        self.identity = identity
        self.keys = keys
        self.node = node
        address = Machine.address(of: index)
        disk = VirtualDisk(keys: keys)
    }

    static func address(of index: Int) -> Address { Address("n\(index)") }

    /// The machine that an address names; nil for one that no machine has.
    @inline(__always)
    static func index(of address: Address) -> Int? {
        var number = 0
        var first = true
        for unit in address.text.utf8 {
            if first {
                guard unit == UInt8(ascii: "n") else { return nil }
                first = false
            } else {
                number = number * 10 + Int(unit) - 48
            }
        }
        return first ? nil : number
    }

    func local(_ time: Int64) -> Instant {
        if drift == 0 { return Instant(nanoseconds: clockOffset + time) }
        return Instant(nanoseconds: clockOffset + time + Int64(Double(time) * drift))
    }

    /// The true time at which the local clock shows `instant`, rounded up.
    func trueTime(_ instant: Instant) -> Int64 {
        let since = instant.nanoseconds - clockOffset
        if drift == 0 { return since }
        var time = Int64(Double(since) / (1 + drift))
        while local(time) < instant { time += 1 + (instant.nanoseconds - local(time).nanoseconds) / 2 }
        return time
    }

    /// Signs a claim: eight bytes that depend on the secret.
    func sign(_ claim: AliveClaim) -> AliveRecord {
        AliveRecord(claim: claim, sealed: Machine.seal(claim, secret: identity.secret))
    }

    static func seal(_ claim: AliveClaim, secret: UInt64) -> [UInt8] {
        var state = SeededGenerator.scramble(secret ^ claim.id.short)
        state = SeededGenerator.scramble(state ^ claim.start.bits)
        state = SeededGenerator.scramble(state ^ claim.version.bits)
        return (0..<8).map { UInt8(truncatingIfNeeded: state >> ($0 * 8)) }
    }
}
