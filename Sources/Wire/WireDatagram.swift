import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// The body of a sealed datagram: what it says, and rumours. Sender, start and target are in the seal.
public enum WireDatagram {
    /// The bytes of a body.
    ///
    /// - Parameter limit: the most bytes. The core packs by estimates; should they be too low once, the last
    ///   rumours are left out: gossip repeats them, and a lost datagram would lose all.
    public static func encode(
        _ message: Datagram.Message, _ rumours: [Rumour] = [], limit: Int = .max
    ) -> [UInt8] {
        var proto = ProtoDatagram(message, rumours)
        var bytes = Field.write(proto)
        while bytes.count > limit, !proto.rumours.isEmpty {
            proto.rumours.removeLast()
            bytes = Field.write(proto)
        }
        return bytes
    }

    /// Reads a body. Signatures of records are not verified.
    public static func decode(
        _ bytes: [UInt8]
    ) throws(WireError) -> (message: Datagram.Message, rumours: [Rumour]) {
        try Field.read(ProtoDatagram.self, bytes, "datagram").core()
    }
}

extension ProtoDatagram {
    init(_ message: Datagram.Message, _ rumours: [Rumour]) {
        self.init()
        says =
            switch message {
            case .ping(let random): .ping(random)
            case .ack(let random): .ack(random)
            case .pingRequest(let target, let random): .pingRequest(ProtoProbeRequest(target, random))
            case .nack(let random): .nack(random)
            case .gossip: .gossip(true)
            case .digest(let root, let keys):
                .digest(
                    .with {
                        $0.high = root.high
                        $0.low = root.low
                        $0.keys = keys
                    })
            case .notMe(let wanted): .notMe(wanted.short)
            case .echo(let random): .echo(random)
            case .echoReply(let random, let epoch):
                .echoReply(
                    .with {
                        $0.random = random
                        $0.epochAtStart = epoch
                    })
            case .dialRequest(let target, let random): .dialRequest(ProtoProbeRequest(target, random))
            case .dialReport(let random, let refused):
                .dialReport(
                    .with {
                        $0.random = random
                        $0.refused = refused
                    })
            case .job(let rumour): .job(ProtoJobRumour(rumour))
            }
        self.rumours = rumours.map(ProtoRumour.init)
    }

    func core() throws(WireError) -> (message: Datagram.Message, rumours: [Rumour]) {
        (try message(), try Rumour.known(rumours))
    }

    private func message() throws(WireError) -> Datagram.Message {
        switch try Field.known(says, "datagram") {
        case .ping(let random): return .ping(random)
        case .ack(let random): return .ack(random)
        case .pingRequest(let probe):
            let (target, random) = try probe.core("pingRequest")
            return .pingRequest(target, random)
        case .nack(let random): return .nack(random)
        case .gossip: return .gossip
        case .digest(let digest):
            return .digest(MemberTable.Root(high: digest.high, low: digest.low), keys: digest.keys)
        case .notMe(let wanted): return .notMe(NodeID(short: wanted))
        case .echo(let random): return .echo(random)
        case .echoReply(let reply):
            let random = try Field.given(reply.hasRandom, reply.random, "echoReply.random")
            let version = try Field.version(reply.epochAtStart, 0, "echoReply.epochAtStart")
            return .echoReply(random, epochAtStart: version.epoch)
        case .dialRequest(let probe):
            let (target, random) = try probe.core("dialRequest")
            return .dialRequest(target, random)
        case .dialReport(let report):
            let random = try Field.given(report.hasRandom, report.random, "dialReport.random")
            return .dialReport(random, refused: report.refused)
        case .job(let rumour): return .job(try JobRumour(rumour))
        }
    }
}

extension ProtoProbeRequest {
    init(_ target: NodeID, _ random: UInt64) {
        self.init()
        self.target = target.short
        self.random = random
    }

    func core(_ name: String) throws(WireError) -> (NodeID, UInt64) {
        let target = try Field.node(hasTarget, target, name + ".target")
        return (target, try Field.given(hasRandom, random, name + ".random"))
    }
}

extension ProtoRumour {
    init(_ rumour: Rumour) {
        self.init()
        says =
            switch rumour {
            case .alive(let record): .alive(Data(record.sealed))
            case .suspect(let subject, let version, let by, let age, let refused):
                .suspect(
                    .with {
                        $0.subject = subject.short
                        $0.epoch = version.epoch
                        $0.incarnation = version.incarnation
                        $0.by = (0..<by.count).map { by[$0].short }
                        $0.ageMicroseconds = age.microseconds
                        $0.refused = refused
                    })
            case .dead(let subject, let version): .dead(ProtoEnding(subject, version))
            case .left(let subject, let version): .left(ProtoEnding(subject, version))
            }
    }
}

extension ProtoEnding {
    init(_ subject: NodeID, _ version: Version) {
        self.init()
        self.subject = subject.short
        epoch = version.epoch
        incarnation = version.incarnation
    }

    func core(_ name: String) throws(WireError) -> (NodeID, Version) {
        let subject = try Field.node(hasSubject, subject, name + ".subject")
        return (subject, try Field.version(epoch, incarnation, name + ".version"))
    }
}

extension Rumour {
    /// The rumours of a datagram but those of a kind, or about records of a format, that a newer version
    /// made.
    static func known(_ protos: [ProtoRumour]) throws(WireError) -> [Rumour] {
        var rumours: [Rumour] = []
        for proto in protos {
            do {
                rumours.append(try Rumour(proto))
            } catch .unknown {
                continue
            }
        }
        return rumours
    }

    init(_ proto: ProtoRumour) throws(WireError) {
        switch try Field.known(proto.says, "rumour") {
        case .alive(let record): self = .alive(try WireRecord.decode([UInt8](record)))
        case .suspect(let suspicion): self = try Self.suspicion(suspicion)
        case .dead(let ending):
            let (subject, version) = try ending.core("dead")
            self = .dead(subject, version)
        case .left(let ending):
            let (subject, version) = try ending.core("left")
            self = .left(subject, version)
        }
    }

    private static func suspicion(_ proto: ProtoSuspicion) throws(WireError) -> Rumour {
        let subject = try Field.node(proto.hasSubject, proto.subject, "suspect.subject")
        guard let first = proto.by.first else { throw .missing("suspect.by") }
        var by = Suspecters(NodeID(short: first))
        for id in proto.by.dropFirst() where !by.add(NodeID(short: id)) {
            throw .refused("suspect.by", "more than \(Suspecters.most) nodes, or one of them twice")
        }
        return .suspect(
            subject, try Field.version(proto.epoch, proto.incarnation, "suspect.version"), by: by,
            age: try Field.span(proto.ageMicroseconds, "suspect.age"), refused: proto.refused)
    }
}

extension ProtoJobRumour {
    init(_ rumour: JobRumour) {
        self.init()
        job = Data(rumour.job)
        termCounter = rumour.term.counter
        termNode = rumour.term.node.short
        termStart = rumour.term.start
        revision = rumour.revision
        stateStamp = rumour.stateStamp
        run = rumour.run.number
        holders = UInt32(clamping: rumour.holders)
    }
}

extension JobRumour {
    init(_ proto: ProtoJobRumour) throws(WireError) {
        let node = try Field.node(proto.hasTermNode, proto.termNode, "jobRumour.term.node")
        let start = try Field.given(proto.hasTermStart, proto.termStart, "jobRumour.term.start")
        let term = Term(counter: proto.termCounter, node: node, start: start)
        guard term.isPlausible else { throw .refused("jobRumour.term", "\(term) cannot be") }
        try Field.count(Int(proto.holders), most: JobHeader.holderLimit, "jobRumour.holders")
        self.init(
            job: try Field.job(proto.job, "jobRumour.job"), term: term, revision: proto.revision,
            stateStamp: proto.stateStamp, run: RunID(proto.run), holders: Int(proto.holders))
    }
}
