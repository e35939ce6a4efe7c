// Who is in the cluster. Every node keeps a whole table and changes it only by three things: what the subject
// itself signed, what others suspect of it, and what our own probes find. The rest of this folder is small
// machines for one question each; this type asks them, applies their actions, and collects the effects.

/// Membership of one node: SWIM with Lifeguard, links, anti-entropy and reconnecting (PROTOCOL sections 1 and
/// 2).
public struct Membership: Sendable {
    /// The life of the process: starting → running → leaving → ended.
    enum Phase: Equatable, Sendable {
        /// The epoch is on its way to the disk; nothing may be sent.
        case starting
        case running
        /// Saying farewell until then.
        case leaving(Farewell, until: Instant)
        case ended
    }

    /// Who this process is.
    public struct Identity: Equatable, Sendable {
        public let id: NodeID
        public let start: StartID
        /// The configured address; empty to use the one that peers observe.
        public let address: Address
        /// What it offers to jobs; nil for a node that runs none.
        public let engine: Engine?

        public init(id: NodeID, start: StartID, address: Address, engine: Engine? = nil) {
            self.id = id
            self.start = start
            self.address = address
            self.engine = engine
        }
    }

    let configuration: Configuration
    let me: NodeID
    let start: StartID
    var address: Address
    var engine: Engine?
    var phase = Phase.starting
    var now = Instant.zero
    var generator: SeededGenerator
    var outbox: [Effect] = []

    // Ourselves.
    var epochAtStart: UInt32
    /// The epoch and incarnation that our next or newest record carries.
    var version: Version
    /// The newest record that we signed; nil until the first.
    public internal(set) var record: AliveRecord?
    /// The epoch that waits for the disk, and its ticket.
    var pendingEpoch: (epoch: UInt32, ticket: UInt64)?
    var retryEpochAt = Instant.never
    /// The keys that our disk holds; only these does our record claim.
    var keysOnDisk: [KeyID]
    /// Keys on their way to the disk, under this ticket.
    var pendingKeys: (held: [KeyID], ticket: UInt64)?
    var retryKeysAt = Instant.never
    var lastTicket: UInt64 = 0
    /// Rounds for which our own record is still gossiped.
    var ownRounds = 0
    var saidReady = false

    // The others.
    public internal(set) var table: MemberTable
    var tombstones: [Rumour] = []
    /// Peers from before our start that we have not met again: they still count when a key is to be retired.
    var remembered: [AliveRecord]
    var queue = RumourQueue()
    /// A large table is being taken over: its sender has gossiped it, we need not.
    var isTakingOver = false
    var prober: Prober
    var desk: RelayDesk
    var suspicions: Suspicions
    public internal(set) var health: LocalHealth
    var fastPath: FastPath
    var reconnector: Reconnector
    var otherStart: OtherStart
    public internal(set) var keys: KeyRing
    /// Dials that we try for others: whom, and who asked.
    var witnessing: [(target: NodeID, asker: NodeID, address: Address, nonce: UInt64)] = []

    /// Peers that we dialled by their address alone and that have not said hello yet.
    var strangers: [NodeID] = []

    /// What the jobs of this node should hear of.
    var notes: [Note] = []
    /// Counts published changes.
    var changes = 0

    // Rounds.
    var tour: [Int32] = []
    var tourAt = 0
    var successor: (slot: Int?, presenceChanges: Int) = (nil, -1)
    var nextSuccessorDial = Instant.zero
    var nextProbe = Instant.never
    var nextGossip = Instant.never
    var lastGossip = Instant(nanoseconds: .min / 2)
    var nextComparison = Instant.never
    var nextSweep = Instant.never
    /// Rounds for which a change of our keys is still pointed out to others.
    var keyRounds = 0

    public init(
        _ identity: Identity, persisted: Persisted, seeds: [Address], configuration: Configuration,
        generator: SeededGenerator
    ) {
        self.configuration = configuration
        self.generator = generator
        me = identity.id
        start = identity.start
        address = identity.address
        engine = identity.engine
        let reused = configuration.fault == .epochReused && persisted.epoch > 0
        let epoch = reused ? persisted.epoch : min(persisted.epoch, Version.highest - 1) + 1
        epochAtStart = epoch
        version = Version(epoch: epoch, incarnation: 0)
        table = MemberTable(me: me)
        prober = Prober(configuration)
        desk = RelayDesk(configuration)
        suspicions = Suspicions(configuration)
        health = LocalHealth(worst: configuration.worstHealth)
        fastPath = FastPath(configuration)
        reconnector = Reconnector(configuration)
        otherStart = OtherStart(configuration)
        keysOnDisk = persisted.keys.held
        remembered = persisted.peers.filter { $0.id != identity.id }
        keys = KeyRing(me: me, table: persisted.keys, fault: configuration.fault)
        for seed in seeds {
            reconnector.want(.seed(seed), urgently: true, at: .zero, &self.generator)
        }
        for peer in persisted.peers where peer.id != me && !seeds.contains(peer.address) {
            reconnector.want(.member(peer.id, peer.address), urgently: true, at: .zero, &self.generator)
        }
    }

    /// Whether the process has ended and wants no more input.
    public var hasEnded: Bool { phase == .ended }

    /// The earliest moment at which `.timer` has something to do.
    public var nextDeadline: Instant {
        switch phase {
        case .ended: return .never
        case .starting: return retryEpochAt
        case .leaving(_, let until): return min(until, nextGossip)
        case .running: break
        }
        var next = min(nextProbe, nextGossip)
        next = min(next, min(nextComparison, nextSweep))
        next = min(next, min(prober.nextDeadline, desk.nextDeadline))
        next = min(next, min(suspicions.nextDeadline, fastPath.nextDeadline))
        next = min(next, min(reconnector.nextDeadline, otherStart.nextDeadline))
        return min(next, min(retryEpochAt, retryKeysAt))
    }

    /// Probes of our own in flight, for checkers and metrics.
    public var probesInFlight: Int { prober.probes.count }
    /// Probes in flight for others.
    public var relayedProbes: Int { desk.count }
    /// Entries in the rumour queue, void ones included.
    public var queuedRumours: Int { queue.count }
    /// Members under suspicion.
    public var suspicionCount: Int { suspicions.entries.count }
    /// Whether the node takes part: its epoch is on disk and it has not said farewell.
    public var isRunning: Bool { phase == .running }

    /// Hands out the effects since the last call.
    mutating func drain(into effects: inout [Effect]) {
        if effects.isEmpty {
            swap(&effects, &outbox)
            return
        }
        effects.append(contentsOf: outbox)
        outbox.removeAll(keepingCapacity: true)
    }

    // MARK: Life of the process

    mutating func begin() {
        if keys.table.isDenied(me) { return end(.denied) }
        nextSweep = now + .seconds(60)
        raiseEpoch(to: version.epoch)
    }

    mutating func persisted(_ ticket: UInt64) {
        if let pending = pendingKeys, pending.ticket == ticket { keysWritten(pending.held) }
        guard let pending = pendingEpoch, pending.ticket == ticket else { return }
        pendingEpoch = nil
        version = Version(epoch: pending.epoch, incarnation: 0)
        sign()
    }

    /// A full disk keeps a node from starting, not from trying.
    mutating func persistFailed(_ ticket: UInt64) {
        if pendingKeys?.ticket == ticket { retryKeysAt = now + .seconds(1) }
        guard pendingEpoch?.ticket == ticket else { return }
        retryEpochAt = now + .seconds(1)
    }

    /// Our record came back from the signer.
    mutating func signed(_ fresh: AliveRecord) {
        guard fresh.id == me, fresh.start == start, phase != .ended else { return }
        if let record, record.version > fresh.version { return }
        record = fresh
        if phase == .starting { run() }
        ownRounds = gossipRounds
        scheduleGossip()
        for slot in linkedSlots(most: 32) { send(.gossip, [.alive(fresh)], overLinkTo: slot) }
    }

    private mutating func run() {
        phase = .running
        nextProbe = now + generator.span(from: .zero, to: configuration.probePeriod)
        nextComparison = now + generator.span(from: .zero, to: configuration.antiEntropyInterval)
        sayReady()
    }

    mutating func shutDown(_ farewell: Farewell) {
        guard phase == .running, let record else {
            end(.farewellSaid)
            return
        }
        phase = .leaving(farewell, until: now + configuration.farewellSpan)
        nextGossip = now + configuration.gossipInterval
        sayFarewell(farewell, record)
        for slot in linkedSlots(most: .max) {
            send(.gossip, [farewellRumour(farewell, record)], overLinkTo: slot)
        }
    }

    func farewellRumour(_ farewell: Farewell, _ record: AliveRecord) -> Rumour {
        let gone = farewell == .left || configuration.fault == .restartSaysLeft
        return gone ? .left(me, record.version) : .dead(me, record.version)
    }

    mutating func sayFarewell(_ farewell: Farewell, _ record: AliveRecord) {
        for slot in table.choose(32, excluding: nil, &generator) {
            send(.gossip, [farewellRumour(farewell, record)], to: slot)
        }
    }

    mutating func end(_ reason: ExitReason) {
        for slot in linkedSlots(most: .max) { close(slot) }
        phase = .ended
        outbox.append(.exit(reason))
    }

    // MARK: Timer

    mutating func timer() {
        if case .leaving(let farewell, let until) = phase {
            if now >= until { return end(.farewellSaid) }
            if now >= nextGossip, let record {
                nextGossip = now + configuration.gossipInterval
                sayFarewell(farewell, record)
            }
            return
        }
        if now >= retryEpochAt, let pending = pendingEpoch { raiseEpoch(to: pending.epoch) }
        guard phase == .running else { return }
        if now >= retryKeysAt { writeKeys() }
        if now >= prober.nextDeadline { run(prober.timer(now)) }
        if now >= desk.nextDeadline { run(desk.timer(now)) }
        if now >= suspicions.nextDeadline { expireSuspicions() }
        fastPath.timer(now)
        if now >= otherStart.nextDeadline { run(otherStart.timer(now)) }
        if now >= nextProbe { probeRound() }
        if now >= reconnector.nextDeadline { reconnect() }
        if now >= nextComparison { compareTables() }
        if now >= nextSweep { sweep() }
        if now >= nextGossip { gossipRound() }
    }

    /// A step came late by `lateness`: we stalled, so what we did not hear proves nothing (PROTOCOL section
    /// 2).
    mutating func stalled(_ lateness: Span) {
        prober.voidAll()
        suspicions.stalled(lateness)
        health.stalled()
        guard phase == .running, lateness >= configuration.suspendThreshold else { return }
        for slot in 0..<table.count where !table.rows[slot].standing.isPresent {
            table.note(slot) { $0.since = $0.since + lateness }
        }
        raiseIncarnation(above: version.incarnation)
    }
}
