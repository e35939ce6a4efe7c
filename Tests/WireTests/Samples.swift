import Cluster
import Wire

/// Values as they cross the network, drawn from a seed.
struct Samples {
    var generator: SeededGenerator
    /// True: numbers anywhere within their bounds, texts and lists up to their limits. False: as a cluster
    /// that runs for some months has them.
    let areExtreme: Bool

    init(seed: UInt64, areExtreme: Bool) {
        generator = SeededGenerator(seed: seed)
        self.areExtreme = areExtreme
    }

    // MARK: Small values

    mutating func word() -> UInt64 {
        if areExtreme, generator.chance(0.1) { return generator.chance(0.5) ? 0 : .max }
        return generator.next()
    }

    /// Below `bound`; at times the bound's edges.
    mutating func number(_ bound: Int) -> Int {
        if areExtreme, generator.chance(0.2) { return generator.chance(0.5) ? 0 : bound - 1 }
        return generator.below(bound)
    }

    mutating func counter(_ usual: Int) -> UInt64 { areExtreme ? word() : UInt64(number(usual)) }

    mutating func flag() -> Bool { generator.chance(0.5) }

    mutating func some<Value>(_ most: Int, _ make: (inout Samples) -> Value) -> [Value] {
        (0..<number(most + 1)).map { _ in make(&self) }
    }

    mutating func maybe<Value>(_ make: (inout Samples) -> Value) -> Value? { flag() ? make(&self) : nil }

    mutating func node() -> NodeID { NodeID(short: word()) }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    mutating func digest() -> Digest { Digest(word(), word(), word(), word()) }

    mutating func job() -> JobID { JobID(high: word(), low: word()) }

    mutating func text(_ most: Int) -> String {
        String(
            String.UnicodeScalarView(
                some(most / 4) { samples in
                    samples.number(8) == 0 ? "é" : Unicode.Scalar(UInt8(97 + samples.number(26)))
                }))
    }

    mutating func version() -> Cluster.Version {
        let most = areExtreme ? Int(Version.highest) + 1 : 2000
        return Version(epoch: UInt32(number(most)), incarnation: UInt32(number(areExtreme ? most : 100)))
    }

    mutating func span(_ seconds: Int) -> Span {
        Span(nanoseconds: Int64(number((areExtreme ? 3_000_000_000 : seconds) * 1_000_000)) * 1000)
    }

    mutating func speed() -> Double { areExtreme ? generator.unit() * 1e9 : generator.unit() * 1e-6 }

    mutating func task() -> TaskID { TaskID(number(areExtreme ? WireLimit.tasks : 4096)) }

    mutating func tasks() -> TaskSet {
        if areExtreme, generator.chance(0.1) { return TaskSet(0, WireLimit.tasks) }
        return TaskSet(some(areExtreme ? 200 : 8) { $0.task() })
    }

    mutating func results(_ most: Int) -> [TaskResult] {
        some(areExtreme ? most : 8) { TaskResult(task: $0.task(), digest: $0.digest()) }
    }

    mutating func sentence() -> String { text(areExtreme ? WireLimit.sentence : 60) }

    // MARK: Membership

    mutating func record() -> AliveRecord {
        let address = areExtreme ? text(255) : "node-\(number(1000)).example:7480"
        let keys = Set(some(areExtreme ? KeyTable.mostKeys : 3) { KeyID(bits: UInt32($0.word() >> 32)) })
        let engine = maybe {
            Engine(
                fingerprint: $0.digest(), slots: $0.number($0.areExtreme ? 1 << 32 : 128),
                memory: $0.flag() ? .max : $0.number(1 << 40), hasRoom: $0.flag())
        }
        let claim = AliveClaim(
            id: node(), start: StartID(bits: word()), version: version(), address: Address(address),
            keys: keys.sorted(), engine: engine)
        return WireRecord.make(claim, publicKey: bytes(32), signature: bytes(64))
    }

    mutating func rumour() -> Rumour {
        switch number(4) {
        case 0: return .alive(record())
        case 1:
            var by = Suspecters(node())
            for _ in 0..<number(Suspecters.most) { _ = by.add(node()) }
            return .suspect(node(), version(), by: by, age: span(20), refused: flag())
        case 2: return .dead(node(), version())
        default: return .left(node(), version())
        }
    }

    mutating func jobRumour() -> JobRumour {
        JobRumour(
            job: job(), term: term(), revision: UInt32(truncatingIfNeeded: counter(500)), stateStamp: word(),
            run: run(), holders: number(JobHeader.holderLimit + 1))
    }

    /// Every kind of datagram, once.
    mutating func messages() -> [Datagram.Message] {
        [
            .ping(word()), .ack(word()), .pingRequest(node(), word()), .nack(word()), .gossip,
            .digest(MemberTable.Root(high: word(), low: word()), keys: word()), .notMe(node()), .echo(word()),
            .echoReply(word(), epochAtStart: version().epoch), .dialRequest(node(), word()),
            .dialReport(word(), refused: flag()), .job(jobRumour()),
        ]
    }

    mutating func entry() -> TableEntry {
        TableEntry(
            record: record(), version: version(), standing: Standing.allCases[number(Standing.allCases.count)]
        )
    }

    mutating func keyTable() -> KeyTable {
        let stages: [ClusterKey.Stage] = [.installed, .narrowed, .retired]
        let ids = Set(some(areExtreme ? KeyTable.mostKeys : 3) { KeyID(bits: UInt32($0.word() >> 32)) })
        let keys = ids.sorted().map { id in
            let stage = stages[number(3)]
            return ClusterKey(id: id, secret: stage == .retired ? [] : bytes(32), stage: stage)
        }
        let use = KeyTable.Use(
            key: KeyID(bits: UInt32(word() >> 32)), round: UInt32(number(areExtreme ? 1 << 30 : 50)),
            author: node())
        let denied = Set(some(areExtreme ? KeyTable.mostDenied : 3) { $0.node() }).sorted()
        guard let table = KeyTable(keys: keys, use: use, denied: denied) else {
            preconditionFailure("the generator made an impossible table: \(keys) \(use) \(denied.count)")
        }
        return table
    }

    /// Every kind of frame, with every kind of message in it, once.
    mutating func frames() -> [Frame] {
        var frames: [Frame] = [
            .hello(
                record(), MemberTable.Root(high: word(), low: word()), keys: word(),
                ofYou: maybe { $0.rumour() },
                seenAt: maybe { Address($0.text($0.areExtreme ? 255 : 20)) }),
            .buckets((0..<256).map { _ in word() }),
            .entries(some(20) { $0.entry() }, wanted: some(256) { UInt8($0.number(256)) }),
            .keys(keyTable()),
        ]
        frames += messages().map { .packet($0, some(4) { $0.rumour() }) }
        frames += bookMessages().map(Frame.book)
        frames += bodies().map { body in
            .job(JobMessage(job: job(), run: run(), term: term(), body: body))
        }
        return frames
    }
}
