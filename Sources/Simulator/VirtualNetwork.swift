import Cluster

/// How the network treats what is sent: all of it by chance, all chance from one seed.
public struct NetworkConditions: Equatable, Sendable {
    /// One way, at least.
    public var latency = Span.milliseconds(1)
    /// Added on average (exponential).
    public var jitter = Span.milliseconds(1)
    /// Share of datagrams lost; a lost TCP segment costs time instead.
    public var loss = 0.0
    public var duplicates = 0.0
    /// Share of datagrams that take up to 50 ms longer, and so arrive in another order.
    public var reordered = 0.0
    /// Share of datagrams that a recorder sends again, seconds later.
    public var replayed = 0.0

    public init() {}
}

/// Who can reach whom.
struct VirtualNetwork {
    /// What cuts one machine's traffic.
    struct Port: Equatable {
        /// Machines of different groups do not hear each other; -1 is a bridge that everybody hears.
        var group = 0
        var mute = false
        var deaf = false
        var blocksUDP = false
        var blocksTCP = false
        /// Speaks this version; versions that are not neighbours do not understand each other.
        var release = 1
        var isAsleep = false
    }

    var conditions: NetworkConditions
    var ports: [Port]
    var generator: SeededGenerator
    /// A blocked link breaks after this time.
    static let linkPatience: Int64 = 15_000_000_000
    /// A dial without an answer fails after this time (PROTOCOL section 2).
    static let connectLimit: Int64 = 3_000_000_000

    init(conditions: NetworkConditions, machines: Int, generator: SeededGenerator) {
        self.conditions = conditions
        self.generator = generator
        ports = Array(repeating: Port(), count: machines)
    }

    /// Whether packets get from one machine to another at all.
    @inline(__always)
    func reaches(_ from: Int, _ to: Int) -> Bool {
        let (a, b) = (ports[from], ports[to])
        if from == to { return true }
        if a.isAsleep || b.isAsleep || abs(a.release - b.release) > 1 { return false }
        return !a.mute && !b.deaf && (a.group == b.group || a.group == -1 || b.group == -1)
    }

    func carriesUDP(_ from: Int, _ to: Int) -> Bool {
        reaches(from, to) && (from == to || !(ports[from].blocksUDP || ports[to].blocksUDP))
    }

    /// TCP needs both ways.
    func carriesTCP(_ from: Int, _ to: Int) -> Bool {
        reaches(from, to) && reaches(to, from)
            && (from == to || !(ports[from].blocksTCP || ports[to].blocksTCP))
    }

    /// One way through the network, in nanoseconds.
    mutating func flight() -> Int64 {
        let jitter = conditions.jitter.nanoseconds
        var span = conditions.latency.nanoseconds
        if jitter > 0 { span += Int64(-VirtualNetwork.log(generator.unit()) * Double(jitter)) }
        if conditions.reordered > 0, generator.chance(conditions.reordered) {
            span += Int64(generator.below(50_000_000))
        }
        return span
    }

    /// One way for a segment of a link: each loss costs a retransmission, 0.2 s and doubling.
    mutating func segmentFlight() -> Int64 {
        var span = flight()
        var wait: Int64 = 200_000_000
        while conditions.loss > 0, wait < 6_000_000_000, generator.chance(conditions.loss) {
            span += wait
            wait *= 2
        }
        return span
    }

    /// The natural logarithm for numbers in (0, 1], by halving and a series: no C library, so the same bits
    /// everywhere.
    static func log(_ x: Double) -> Double {
        let value = max(x, 0x1p-60)
        let exponent = Double(value.exponent)
        let z = (value.significand - 1) / (value.significand + 1)
        let square = z * z
        var (term, sum) = (z, z)
        for k in 1..<12 {
            term *= square
            sum += term / Double(2 * k + 1)
        }
        return exponent * 0.693_147_180_559_945_3 + 2 * sum
    }
}

/// A datagram under way.
struct Packet {
    let datagram: Datagram
    let from: Int
    let to: Int
    let key: KeyID
    /// The generation of the receiving process that had it before, if this is a replay.
    let replayOf: Int?
}

/// One connection between two processes.
struct Link {
    enum Item {
        case frame(Frame)
        case goodbye
    }

    /// The dialler is side 0.
    let machines: (Int, Int)
    let generations: (Int, Int)
    let ids: (NodeID, NodeID)
    let starts: (StartID, StartID)
    /// When both ends hear of it.
    let since: Int64
    var isUp = true
    var queues: ([(Int64, Item)], [(Int64, Item)]) = ([], [])
    var lastArrival: (Int64, Int64) = (0, 0)
    var blockedSince: (Int64, Int64) = (.max, .max)
    var pumping: (Bool, Bool) = (false, false)
}
