import Cluster

/// The kinds of trouble that a seed mixes. Each draws from its own stream of chance, so leaving one out does
/// not change the others: that is how a failed run is made small.
public enum ScheduleKind: String, CaseIterable, Sendable {
    /// Schedule 1: loss, duplicates, reordering, replay, jitter.
    case network
    /// 2: a kill between any two effects.
    case effectKills
    /// 3: silent crashes and killed processes, most of which come back.
    case crashes
    /// 5: full, rolling and quick restarts, farewells.
    case restarts
    /// 5: same name with a new key, same key at a new address, cloned machines.
    case identities
    /// 6: a disk rolled back, torn writes, full disks.
    case disks
    /// 7 and 8: stalls of 0.3–32 s, stops past every deadline.
    case stalls
    /// 9: halves, bridge, one-way, one node, flapping.
    case partitions
    /// 10: UDP blocked with TCP open, and the reverse.
    case blocks
    /// 11: clocks that run 2 % fast or slow, that start up to two hours apart, machines that sleep.
    case clocks
    /// 14: a key rotation while nodes come and go.
    case keys
    /// 16: hostile lengths and counters.
    case hostile
    /// 3: a job's coordinator, then each keeper, in either order.
    case bearers
    /// 4: both holders of a result.
    case holders
    /// 12: slow nodes; tasks that hang, fail, crash, wait for input or give blobs that do not match.
    case tasks
    /// 13: each kind of message dropped or doubled in turn.
    case messages
    /// 15: mixed engines and versions.
    case engines
    /// 16: absurd messages about jobs, a flood of handshakes, forged records.
    case floods
    /// 18: users who cancel, resume and hand in again, at the wrong moment.
    case requests
    /// 19: the nodes start in any order while jobs are handed in.
    case firstMinutes

    /// Faults of this kind for `nodes` machines within `span`.
    func faults(nodes: Int, span: Span, jobs: [Workload], seed: UInt64) -> [ScheduledFault] {
        let position = UInt64(ScheduleKind.allCases.firstIndex(of: self) ?? 0)
        var draw = Draw(
            nodes: nodes, span: span, jobs: jobs, chance: SeededGenerator(seed: seed ^ (position + 1) << 56))
        switch self {
        case .network: draw.network()
        case .effectKills: draw.effectKills()
        case .crashes: draw.crashes()
        case .restarts: draw.restarts()
        case .identities: draw.identities()
        case .disks: draw.disks()
        case .stalls: draw.stalls()
        case .partitions: draw.partitions()
        case .blocks: draw.blocks()
        case .clocks: draw.clocks()
        case .keys: draw.keys()
        case .hostile:
            for _ in 0..<3 { draw.add(draw.moment(), .hostile(draw.machine(), seed: draw.chance.next())) }
        case .bearers: draw.bearers()
        case .holders: draw.holders()
        case .tasks: draw.tasks()
        case .messages: draw.messages()
        case .engines: draw.engines()
        case .floods:
            for _ in 0..<2 {
                draw.add(draw.moment(), .hostileJobs(draw.machine(), seed: draw.chance.next()))
                draw.add(draw.moment(), .flood(draw.machine(), seed: draw.chance.next()))
            }
        case .requests: draw.requests()
        case .firstMinutes: break  // the moments of the starts: `Simulation.strike`
        }
        return draw.faults
    }

    /// The kinds that a seed mixes: each with one chance in three, at least one.
    static func mixed(seed: UInt64) -> [ScheduleKind] {
        var chance = SeededGenerator(seed: seed ^ 0x6B69_6E64_73)
        let drawn = allCases.filter { _ in chance.chance(0.34) }
        return drawn.isEmpty ? [allCases[chance.below(allCases.count)]] : drawn
    }
}

/// Draws the faults of one kind.
struct Draw {
    let nodes: Int
    let span: Span
    let jobs: [Workload]
    var chance: SeededGenerator
    var faults: [ScheduledFault] = []

    init(nodes: Int, span: Span, jobs: [Workload], chance: SeededGenerator) {
        self.nodes = nodes
        self.span = span
        self.jobs = jobs
        self.chance = chance
    }

    mutating func add(_ at: Span, _ fault: Fault) { faults.append(ScheduledFault(at: at, fault)) }
    mutating func machine() -> Int { chance.below(nodes) }
    mutating func moment() -> Span { chance.span(from: .zero, to: span) }

    /// How many times something happens: one and more, growing slowly with the cluster.
    mutating func count() -> Int { 1 + chance.below(2 + nodes / 8) }

    mutating func network() {
        var bad = NetworkConditions()
        bad.loss = [0, 0.01, 0.05, 0.1, 0.2, 0.3][chance.below(6)]
        bad.duplicates = chance.chance(0.5) ? 0.05 : 0
        bad.reordered = chance.chance(0.5) ? 0.1 : 0
        bad.replayed = chance.chance(0.5) ? 0.05 : 0
        bad.jitter = .milliseconds(1 + chance.below(20))
        add(chance.span(from: .zero, to: span * 0.3), .network(bad))
    }

    mutating func effectKills() {
        for _ in 0..<count() {
            let (index, at) = (machine(), moment())
            add(at, .killAfterEffects(index, 1 + chance.below(40)))
            add(at + .seconds(1 + chance.below(10)), .start(index))
        }
    }

    mutating func crashes() {
        for _ in 0..<count() {
            let (index, at) = (machine(), moment())
            add(at, chance.chance(0.5) ? .crash(index) : .kill(index))
            if chance.chance(0.7) { add(at + chance.span(from: .zero, to: .seconds(60)), .start(index)) }
        }
    }

    mutating func restarts() {
        let at = moment()
        switch chance.below(4) {
        case 0:
            for index in 0..<nodes { add(at, .kill(index)) }
            for index in 0..<nodes { add(at + chance.span(from: .zero, to: .seconds(20)), .start(index)) }
        case 1:
            for index in 0..<nodes {
                let turn = at + Span.seconds(3) * index
                add(turn, .farewell(index, .restarting))
                add(turn + .seconds(2), .start(index))
            }
        case 2:
            for _ in 0..<count() {
                let (index, at) = (machine(), moment())
                add(at, .kill(index))
                add(at + .milliseconds(1 + chance.below(100)), .start(index))
            }
        default:
            let index = machine()
            add(at, .farewell(index, nodes > 2 && chance.chance(0.5) ? .left : .restarting))
            add(at + .seconds(5), .start(index))
        }
    }

    mutating func identities() {
        switch chance.below(3) {
        case 0: add(moment(), .newKey(machine()))
        case 1: add(moment(), .move(machine()))
        default: add(moment(), .clone(machine()))
        }
    }

    mutating func disks() {
        let index = machine()
        let at = chance.span(from: .zero, to: span * 0.5)
        add(at, .takeImage(index))
        if chance.chance(0.7) {
            for _ in 0..<1 + chance.below(3) {
                add(at + chance.span(from: .seconds(1), to: span * 0.3), .kill(index))
                add(at + chance.span(from: .seconds(1), to: span * 0.3), .start(index))
            }
            add(at + span * 0.4, .rollBack(index))
        }
        if chance.chance(0.5) {
            let (full, at) = (machine(), moment())
            add(at, .diskFull(full, true))
            add(at + .milliseconds(1), .kill(full))
            add(at + .milliseconds(2), .start(full))
            add(at + .seconds(10), .diskFull(full, false))
        }
    }

    mutating func stalls() {
        let share = 0.05 + 0.2 * chance.unit()
        for index in 0..<nodes where nodes < 4 || chance.chance(share) {
            for _ in 0..<1 + chance.below(6) {
                add(moment(), .stall(index, chance.span(from: .milliseconds(300), to: .seconds(32))))
            }
        }
    }

    mutating func partitions() {
        for _ in 0..<1 + chance.below(3) {
            let at = moment()
            let end = at + length()
            switch chance.below(5) {
            case 0, 1:
                var groups = (0..<nodes).map { _ in chance.below(2) }
                if chance.chance(0.3) { groups[machine()] = -1 }
                add(at, .partition(groups))
                add(end, .partition([]))
            case 2:
                let index = machine()
                add(at, .oneWay(index, mute: chance.chance(0.5), deaf: chance.chance(0.5)))
                add(end, .oneWay(index, mute: false, deaf: false))
            case 3:
                var groups = [Int](repeating: 0, count: nodes)
                groups[machine()] = 1
                add(at, .partition(groups))
                add(end, .partition([]))
            default:
                // Flapping, in halves or one node.
                var groups = (0..<nodes).map { _ in chance.below(2) }
                if chance.chance(0.3) { groups = groups.indices.map { $0 == groups.count / 2 ? 1 : 0 } }
                for turn in 0..<5 {
                    add(at + .seconds(turn * 6), .partition(groups))
                    add(at + .seconds(turn * 6 + 3), .partition([]))
                }
            }
        }
    }

    /// From a second to two days, short ones as likely as long ones; what is longer than the run ends with
    /// it.
    private mutating func length() -> Span {
        var length = Span.seconds(1 + chance.unit())
        while length < .seconds(2 * 24 * 3600), chance.chance(0.85) { length = length * 2 }
        return length
    }

    mutating func blocks() {
        for _ in 0..<count() {
            let (index, at) = (machine(), moment())
            let udp = chance.chance(0.5)
            add(at, .block(index, udp: udp, tcp: !udp))
            add(at + chance.span(from: .seconds(1), to: .seconds(60)), .block(index, udp: false, tcp: false))
        }
    }

    mutating func keys() {
        let at = chance.span(from: .seconds(5), to: span * 0.5)
        let key = KeyID(bits: 2)
        add(at, .keys(machine(), .install(key, secret: [2])))
        if chance.chance(0.5) { add(at + .milliseconds(20), .keys(machine(), .use(key))) }
        for turn in 0..<6 { add(at + Span.seconds(8) * (turn + 1), .keys(machine(), .use(key))) }
        for turn in 0..<3 {
            add(at + .seconds(60 + turn * 10), .keys(machine(), .retire(World.firstKey, forced: false)))
        }
        guard nodes > 2, chance.chance(0.3) else { return }
        let denied = machine()
        add(at + .seconds(70), .deny(denied, by: (denied + 1) % nodes, KeyID(bits: 3)))
    }
}
