import Cluster

/// An invariant of PROTOCOL section 7 that did not hold.
public struct Violation: Equatable, Sendable {
    /// "S1"…"S14" or "L1"…"L7".
    public let invariant: String
    public let what: String
    /// Since the start of the run.
    public let at: Span
}

/// What the checkers remember of a run. Each event is checked on the node that it changed; a sweep each
/// virtual second looks at whole tables (PROTOCOL section 7).
final class Checks {
    /// The last belief that an observer published about a subject.
    struct Belief {
        var version = Version(epoch: 0, incarnation: 0)
        var standing = Standing.left
        var isKnown = false
    }

    /// A node that fell silent, and who still believes in it.
    struct Watch {
        let subject: Int
        let since: Int64
        let kind: String
        var remaining: Int
        var knownToAll: Int64?
    }

    /// One line of a node's recent history.
    struct Memory {
        let time: Int64
        let machine: Int
        let input: Input
    }

    let options: Simulation.Options
    var violation: Violation?
    var secrets: [NodeID: Machine.Identity] = [:]
    /// By machine, by identity.
    var beliefs: [[Belief]] = []
    var highestSigned: [Version] = []
    /// Which start used an epoch of an identity.
    var epochs: [Int: [UInt32: StartID]] = [:]
    /// Identities that were cloned or rolled back: two starts may meet in one epoch.
    var disturbedIdentities: Set<Int> = []
    /// Decisions about the key in use, each once.
    var usesSeen: [KeyTable.Use] = []
    /// Whom the first that retired a key knew then, itself among them.
    var knownAtRetirement: [KeyID: Set<NodeID>] = [:]
    /// Where the process of an identity runs, if it does and is counted on; nil otherwise.
    var runningAt: [Int?] = []
    var startOf: [StartID] = []
    /// When a process last ended.
    var lastDeath: Int64 = 0
    var watches: [Watch] = []
    var watchOf: [Int: Int] = [:]
    var falseDeaths = 0
    private var falselyDead: Set<UInt64> = []
    /// Machines whose process must not run any more: moved away, gave way, left, denied.
    var finished: Set<Int> = []
    /// Nodes that an operator shut out.
    var denied: Set<NodeID> = []
    /// Identities whose operator took them out.
    var gone: Set<Int> = []
    /// By task key: the one digest that it may have (S6).
    var facts: [Digest: Digest] = [:]
    /// The highest state of each job that each machine's process published (S7).
    var jobStates: [Int: [JobID: RunState]] = [:]
    /// Jobs that were acknowledged with so many copies.
    var acknowledged: [JobID: Int] = [:]
    /// Task runs, and when each job was first seen complete.
    var taskRuns = 0
    var completedAt: [JobID: Int64] = [:]
    /// What the checks of jobs remember.
    var watch = JobWatch()
    private var memories: [Memory] = []
    private var memoryAt = 0
    private var replayState = (probes: 0, health: 0)
    private var lastTimer = (time: Int64.min, machine: 0, count: 0)
    var sweeps = 0

    init(options: Simulation.Options) { self.options = options }

    func fail(_ invariant: String, _ what: String, _ time: Int64) {
        guard violation == nil else { return }
        violation = Violation(invariant: invariant, what: what, at: Span(nanoseconds: time))
    }

    // MARK: What happens to machines

    func known(_ identity: Machine.Identity) {
        secrets[identity.id] = identity
        highestSigned.append(Version(epoch: 0, incarnation: 0))
        runningAt.append(nil)
        startOf.append(StartID(bits: 0))
    }

    func added(_ machine: Machine) {
        while beliefs.count <= machine.index { beliefs.append([]) }
    }

    func started(_ machine: Machine, _ time: Int64) {
        added(machine)
        watch.disturbed = time
        jobStates[machine.index] = [:]
        watch.restarted(machine.index)
        let identity = machine.identity.number
        beliefs[machine.index] = Array(repeating: Belief(), count: highestSigned.count)
        if let watch = watchOf.removeValue(forKey: identity) { watches[watch].remaining = 0 }
        if runningAt[identity] == nil {
            runningAt[identity] = machine.index
            startOf[identity] = machine.start
        }
    }

    func stopped(_ machine: Machine, _ time: Int64) {
        lastDeath = time
        let identity = machine.identity.number
        runsEnded(machine, time)
        watch.disturbed = time
        for position in watches.indices where watches[position].remaining > 0 {
            if belief(machine.index, watches[position].subject).standing.isPresent {
                lessRemaining(position, time)
            }
        }
        if machine.index < beliefs.count { beliefs[machine.index] = [] }
        guard runningAt[identity] == machine.index else { return }
        runningAt[identity] = nil
        watch(identity, machine.hostIsUp ? "kill" : "crash", time)
    }

    private func watch(_ identity: Int, _ kind: String, _ time: Int64) {
        let believers = beliefs.indices.count { belief($0, identity).standing.isPresent }
        watchOf[identity] = watches.count
        watches.append(Watch(subject: identity, since: time, kind: kind, remaining: believers))
    }

    func leaving(_ machine: Machine, _ farewell: Farewell) {
        if farewell == .left {
            finished.insert(machine.index)
            gone.insert(machine.identity.number)
        }
        if runningAt[machine.identity.number] == machine.index { runningAt[machine.identity.number] = nil }
    }

    func exited(_ machine: Machine, _ reason: ExitReason) {
        if reason != .farewellSaid { finished.insert(machine.index) }
    }

    func disturbed(_ identity: Machine.Identity) { disturbedIdentities.insert(identity.number) }
    func abandoned(_ identity: Machine.Identity) { gone.insert(identity.number) }
    func retired(_ machine: Machine) { finished.insert(machine.index) }

    func struck(_ fault: Fault, _ time: Int64) { watch.disturbed = time }

    func belief(_ machine: Int, _ identity: Int) -> Belief {
        guard machine < beliefs.count, identity < beliefs[machine].count else { return Belief() }
        return beliefs[machine][identity]
    }

    // MARK: Views

    /// S1, S2, S3, detection times and false deaths, on one change.
    func published(_ change: MemberChange, by machine: Machine, _ world: World) {
        guard let subject = secrets[change.id]?.number else {
            return fail(
                "S2", "node \(machine.identity.id) knows a member \(change.id) that nobody is", world.time)
        }
        if beliefs[machine.index].count <= subject {
            let missing = highestSigned.count - beliefs[machine.index].count
            beliefs[machine.index] += Array(repeating: Belief(), count: missing)
        }
        let before = beliefs[machine.index][subject]
        beliefs[machine.index][subject] = Belief(
            version: change.version, standing: change.standing, isKnown: true)
        if options.checks {
            checkChange(change, subject, before, machine, world)
        }
        if before.isKnown && before.standing.isPresent != change.standing.isPresent
            || !before.isKnown && change.standing.isPresent
        {
            countWatch(subject, present: change.standing.isPresent, world.time)
        }
        if change.standing == .dead { countFalseDeath(change, subject, world) }
    }

    private func checkChange(
        _ change: MemberChange, _ subject: Int, _ before: Belief, _ machine: Machine, _ world: World
    ) {
        func who() -> String { "node \(machine.identity.id) about \(change.id)" }
        if before.isKnown, change.version < before.version {
            fail("S1", "\(who()): \(before.version) fell to \(change.version)", world.time)
        }
        if before.isKnown, !before.standing.isPresent, change.standing.isPresent,
            change.version <= before.version
        {
            fail(
                "S3", "\(who()): \(before.standing) \(before.version) came back at \(change.version)",
                world.time)
        }
        if change.standing == .left, !gone.contains(subject), !denied.contains(change.id) {
            fail("S2", "\(who()): believes that it left, which it never said", world.time)
        }
        if change.standing.isPresent, machine.node.membership.keys.table.isDenied(change.id) {
            fail("S12", "\(who()): takes in a node that it denied", world.time)
        }
        guard let row = machine.node.membership.table[change.id] else {
            return fail("S2", "\(who()): published without a row", world.time)
        }
        checkRecord(row, by: machine, world.time)
        if row.id == machine.identity.id { fail("S2", "\(who()): holds itself as a member", world.time) }
    }

    /// S2: the record bears its subject's seal, and the subject has signed so far.
    func checkRecord(_ row: Member, by machine: Machine, _ time: Int64) {
        func who() -> String { "node \(machine.identity.id) about \(row.id)" }
        guard let identity = secrets[row.id] else { return fail("S2", "\(who()): unknown subject", time) }
        if row.record.sealed != Machine.seal(row.record.claim, secret: identity.secret) {
            fail("S2", "\(who()): holds a record \(row.record.version) that its subject never signed", time)
        }
        if row.record.version > highestSigned[identity.number] {
            fail("S2", "\(who()): holds a record above the highest that was signed", time)
        }
    }

    private func countWatch(_ subject: Int, present: Bool, _ time: Int64) {
        guard let watch = watchOf[subject] else { return }
        if present { watches[watch].remaining += 1 } else { lessRemaining(watch, time) }
    }

    private func lessRemaining(_ watch: Int, _ time: Int64) {
        watches[watch].remaining -= 1
        if watches[watch].remaining == 0, watches[watch].knownToAll == nil {
            watches[watch].knownToAll = time
        }
    }

    /// A death is false if the process runs, answers to that start, and was never stalled or cut off.
    private func countFalseDeath(_ change: MemberChange, _ subject: Int, _ world: World) {
        guard let index = runningAt[subject], startOf[subject] == change.start else { return }
        guard !world.machines[index].wasDisturbed else { return }
        let key = SeededGenerator.scramble(change.id.short ^ SeededGenerator.scramble(change.version.bits))
        if falselyDead.insert(key).inserted { falseDeaths += 1 }
    }

    // MARK: Signing

    /// S1: an epoch belongs to one start; it is on disk before it is signed.
    func signed(_ record: AliveRecord, by machine: Machine, _ world: World) {
        let identity = machine.identity.number
        highestSigned[identity] = max(highestSigned[identity], record.version)
        guard options.checks else { return }
        if machine.disk.epoch < record.version.epoch, !disturbedIdentities.contains(identity) {
            fail(
                "S1", "node \(record.id) signs \(record.version), its disk has \(machine.disk.epoch)",
                world.time)
        }
        let owner = epochs[identity, default: [:]][record.version.epoch]
        if let owner, owner != record.start, !disturbedIdentities.contains(identity) {
            fail("S1", "node \(record.id): two starts use epoch \(record.version.epoch)", world.time)
        }
        epochs[identity, default: [:]][record.version.epoch] = record.start
    }

    // MARK: Replay

    func replaying(_ machine: Machine) {
        replayState = (machine.node.membership.probesInFlight, machine.node.membership.health.score)
    }

    /// S12: a datagram that was delivered before answers no probe.
    func replayed(_ machine: Machine, _ world: World) {
        guard machine.isRunning else { return }
        let membership = machine.node.membership
        if membership.probesInFlight < replayState.probes || membership.health.score < replayState.health {
            fail("S12", "node \(machine.identity.id): a replayed datagram answered a probe", world.time)
        }
    }

    // MARK: Memory

    /// By machine: what its process was handed in this virtual second.
    private var inputsNow: (second: Int64, counts: [Int: Int]) = (0, [:])
    /// In a large cluster a coordinator hears so much from each node, once: a thousand that join its job in
    /// the same half second send some twenty frames each.
    private var mostInputs: Int { max(20_000, 64 * options.nodes) }

    /// S11: a node that never comes to rest works without end, at no virtual time at all or nearly.
    private func countInput(_ time: Int64, _ machine: Int) {
        let second = time / 1_000_000_000
        if inputsNow.second != second { inputsNow = (second, [:]) }
        inputsNow.counts[machine, default: 0] += 1
        if inputsNow.counts[machine] == mostInputs {
            fail("S11", "machine \(machine) has \(mostInputs) inputs in a second", time)
        }
    }

    func remember(_ time: Int64, _ machine: Int, _ input: Input) {
        countInput(time, machine)
        if case .timer = input {
            if lastTimer.time == time, lastTimer.machine == machine {
                lastTimer.count += 1
                if lastTimer.count > 1000 {
                    fail("S11", "machine \(machine) fires its timer without end", time)
                }
            } else {
                lastTimer = (time, machine, 1)
            }
        }
        guard options.remembers else { return }
        let memory = Memory(time: time, machine: machine, input: input)
        if memories.count < 4096 {
            memories.append(memory)
        } else {
            memories[memoryAt] = memory
            memoryAt = (memoryAt + 1) % memories.count
        }
    }

    /// The last inputs of the nodes that the violation names, oldest first; of all when it names none.
    func recent(_ machines: [Machine]) -> [String] {
        let what = violation?.what ?? ""
        let named = machines.filter { what.contains($0.identity.id.description) }
        let lines = (memories[memoryAt...] + memories[..<memoryAt]).filter { memory in
            named.isEmpty || named.contains { $0.index == memory.machine }
        }
        return named.map { "n\($0.index) is node \($0.identity.id)" }
            + lines.suffix(60).map {
                let text = String(describing: $0.input)
                let second = Double($0.time) / 1e9
                return "\(second)s n\($0.machine) \(text.count > 300 ? String(text.prefix(300)) + "…" : text)"
            }
    }
}
