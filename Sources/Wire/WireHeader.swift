import Cluster

#if canImport(FoundationEssentials)
    internal import FoundationEssentials
#else
    internal import Foundation
#endif

/// Headers of jobs, for the journal; on a link they are parts of frames.
public enum WireHeader {
    /// The header's bytes.
    public static func encode(_ header: JobHeader) -> [UInt8] { Field.write(ProtoJobHeader(header)) }

    /// Reads a header that no peer would refuse (`JobHeader.flaw`).
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> JobHeader {
        try JobHeader(Field.read(ProtoJobHeader.self, bytes, "job header"))
    }
}

extension ProtoTerm {
    init(_ term: Term) {
        self.init()
        counter = term.counter
        node = term.node.short
        start = term.start
    }
}

extension Term {
    init(_ isGiven: Bool, _ proto: ProtoTerm, _ name: String) throws(WireError) {
        guard isGiven else { throw .missing(name) }
        self.init(
            counter: proto.counter, node: try Field.node(proto.hasNode, proto.node, name + ".node"),
            start: try Field.given(proto.hasStart, proto.start, name + ".start"))
        if !isPlausible { throw .refused(name, "\(self) cannot be") }
    }
}

extension ProtoJobHeader {
    init(_ header: JobHeader) {
        self.init()
        id = Data(header.id)
        title = header.title
        request = Data(header.request)
        reign = ProtoReign(header.reign)
        state = ProtoRunState(header.state)
        note = header.note
        outputHolders = header.outputHolders.map(\.short)
    }
}

extension JobHeader {
    init(_ proto: ProtoJobHeader) throws(WireError) {
        guard proto.hasReign else { throw .missing("header.reign") }
        guard proto.hasState else { throw .missing("header.state") }
        try Field.count(proto.outputHolders.count, most: JobHeader.holderLimit, "header.outputHolders")
        self.init(
            id: try Field.job(proto.id, "header.id"), title: proto.title,
            request: try Field.digest(proto.request, "header.request"), reign: try Reign(proto.reign),
            state: try RunState(proto.state), note: proto.note,
            outputHolders: proto.outputHolders.map(NodeID.init(short:)))
        if let flaw { throw .refused("header", flaw) }
    }
}

extension ProtoReign {
    init(_ reign: Reign) {
        self.init()
        term = ProtoTerm(reign.term)
        revision = reign.revision
        keepers = reign.keepers.map(\.short)
        phase = ProtoJobPhase(reign.phase)
        if let digest = reign.plan { plan = Data(digest) }
        if let digest = reign.fingerprint { fingerprint = Data(digest) }
    }
}

extension Reign {
    init(_ proto: ProtoReign) throws(WireError) {
        self.init(term: try Term(proto.hasTerm, proto.term, "reign.term"))
        revision = proto.revision
        try Field.count(proto.keepers.count, most: 2, "reign.keepers")
        keepers = proto.keepers.map(NodeID.init(short:))
        phase = try proto.phase.core()
        plan = try Field.digest(proto.hasPlan, proto.plan, "reign.plan")
        fingerprint = try Field.digest(proto.hasFingerprint, proto.fingerprint, "reign.fingerprint")
    }
}

extension ProtoJobPhase {
    init(_ phase: JobPhase) {
        self =
            switch phase {
            case .accepted: .accepted
            case .planning: .planning
            case .running: .running
            case .waitingForRoom: .waitingForRoom
            case .waitingForInput: .waitingForInput
            case .waitingForEngine: .waitingForEngine
            case .assembling: .assembling
            case .ended: .ended
            case .waitingForPlan: .waitingForPlan
            }
    }

    func core() throws(WireError) -> JobPhase {
        switch self {
        case .unspecified: throw .missing("reign.phase")
        case .accepted: .accepted
        case .planning: .planning
        case .running: .running
        case .waitingForRoom: .waitingForRoom
        case .waitingForInput: .waitingForInput
        case .waitingForEngine: .waitingForEngine
        case .assembling: .assembling
        case .ended: .ended
        case .waitingForPlan: .waitingForPlan
        // A newer version's words for people; the job would otherwise be unknown on every older node.
        case .UNRECOGNIZED: .running
        }
    }
}

extension ProtoRunState {
    init(_ state: RunState) {
        self.init()
        run = state.run.number
        author = ProtoTerm(state.author)
        switch state.manifest {
        case .running: manifest = .running
        case .cancelled: manifest = .cancelled
        case .partial(let count, _):
            manifest = .partial
            done = UInt32(clamping: count)
        case .complete: manifest = .complete
        }
        if let digest = state.manifest.outputs { outputs = Data(digest) }
    }
}

extension RunState {
    init(_ proto: ProtoRunState) throws(WireError) {
        let outputs = try Field.digest(proto.hasOutputs, proto.outputs, "state.outputs")
        let manifest: Manifest
        switch proto.manifest {
        case .unspecified: throw .missing("state.manifest")
        case .running: manifest = .running
        case .cancelled: manifest = .cancelled
        case .partial:
            try Field.count(Int(proto.done), most: WireLimit.tasks, "state.done")
            manifest = .partial(done: Int(proto.done), outputs: outputs)
        case .complete:
            guard let outputs else { throw .missing("state.outputs") }
            manifest = .complete(outputs: outputs)
        case .UNRECOGNIZED(let number): throw .unknown("manifest \(number) of a job")
        }
        self.init(
            run: RunID(proto.run), manifest: manifest,
            author: try Term(proto.hasAuthor, proto.author, "state.author"))
    }
}

extension ProtoBookMessage {
    init(_ message: BookMessage) {
        self.init()
        says =
            switch message {
            case .root(let high, let low):
                .root(
                    .with {
                        $0.high = high
                        $0.low = low
                    })
            case .buckets(let digests, let answer):
                .buckets(
                    .with {
                        $0.digests = digests
                        $0.answer = answer
                    })
            case .headers(let headers):
                .headers(
                    .with {
                        $0.headers = headers.map { aged in
                            .with {
                                $0.header = ProtoJobHeader(aged.header)
                                $0.finishedForMicroseconds = aged.finishedFor.microseconds
                            }
                        }
                    })
            case .want(let jobs): .want(.with { $0.jobs = Data(jobs) })
            }
    }
}

extension BookMessage {
    init(_ proto: ProtoBookMessage) throws(WireError) {
        switch try Field.known(proto.says, "book message") {
        case .root(let root): self = .root(root.high, root.low)
        case .buckets(let buckets):
            try Field.count(buckets.digests.count, most: 256, "book.buckets")
            self = .buckets(buckets.digests, answer: buckets.answer)
        case .headers(let headers):
            try Field.count(headers.headers.count, most: JobBook.chunk, "book.headers")
            var aged: [AgedHeader] = []
            for item in headers.headers {
                guard item.hasHeader else { throw .missing("book.header") }
                aged.append(
                    AgedHeader(
                        header: try JobHeader(item.header),
                        finishedFor: try Field.span(item.finishedForMicroseconds, "book.finishedFor")))
            }
            self = .headers(aged)
        case .want(let want):
            guard want.jobs.count % 16 == 0 else {
                throw .refused("book.want", "\(want.jobs.count) bytes are no whole ids")
            }
            try Field.count(want.jobs.count / 16, most: JobBook.chunk, "book.want")
            self = .want(Field.jobs(want.jobs))
        }
    }
}
