// The part of a job that every node keeps. Two orders live in it and are never mixed: the term decides who
// coordinates (and with it everything a coordinator says about its reign), the run and its manifest decide
// how the job stands.

/// What a coordinator does at the moment: words for people, apart from `ended`, which says that nothing more
/// will come.
public enum JobPhase: UInt8, Hashable, Sendable {
    case accepted, planning, running, waitingForRoom, waitingForInput, waitingForEngine, assembling, ended
    /// No live node has the plan; after a quarter of an hour the run fails.
    case waitingForPlan
}

/// What the coordinator of one term says; a higher term replaces it as a whole (PROTOCOL 3).
public struct Reign: Hashable, Sendable {
    /// Who coordinates.
    public var term: Term
    /// Counts the changes of this value inside the term.
    public var revision: UInt32 = 0
    /// The nodes whose disks hold the whole record, besides the coordinator's: at most two.
    public var keepers: [NodeID] = []
    /// What happens now.
    public var phase = JobPhase.accepted
    /// The plan's digest, once there is one.
    public var plan: Digest?
    /// The engine fingerprint to which the job is pinned, once planning began.
    public var fingerprint: Digest?

    /// The start of `term`.
    public init(term: Term) { self.term = term }

    /// True when `self` says something newer than `other`.
    public func isNewer(than other: Reign) -> Bool {
        term == other.term ? revision > other.revision : term > other.term
    }
}

/// A job as every node knows it; at most 4 KiB (PROTOCOL 3). No counts: these are asked of the coordinator.
public struct JobHeader: Hashable, Sendable {
    /// The most bytes that a header may take, S11.
    public static let sizeLimit = 4096
    /// Bytes of the note.
    static let noteLimit = 1024
    /// The most output holders that a header names.
    public static let holderLimit = 4

    /// Which job.
    public let id: JobID
    /// For people; at most 256 bytes of UTF-8.
    public let title: String
    /// The request's digest; its content is fetched on demand.
    public let request: Digest
    /// Who coordinates, and what it says.
    public internal(set) var reign: Reign
    /// How the job stands.
    public internal(set) var state: RunState
    /// Why it stands so, in a sentence of at most 1024 bytes; empty when all is well. Belongs to `state`.
    public internal(set) var note: String
    /// Where the outputs of `state` are, sorted; at most four.
    public internal(set) var outputHolders: [NodeID]

    /// A new job, accepted by `term`'s coordinator.
    public init(id: JobID, title: String, request: Digest, term: Term) {
        self.init(
            id: id, title: title, request: request, reign: Reign(term: term),
            state: RunState(run: .first, manifest: .running, author: term))
    }

    /// A header as it was stored or received.
    public init(
        id: JobID, title: String, request: Digest, reign: Reign, state: RunState, note: String = "",
        outputHolders: [NodeID] = []
    ) {
        self.id = id
        self.title = title
        self.request = request
        self.reign = reign
        self.state = state
        self.note = note
        self.outputHolders = outputHolders
    }

    /// Who coordinates.
    public var term: Term { reign.term }

    /// Work on the job goes on: it runs, or a partial of a lower term was heard of while a higher term still
    /// runs.
    public var isLive: Bool {
        switch state.manifest {
        case .running: true
        case .partial: reign.phase != .ended && state.author < reign.term
        case .cancelled, .complete: false
        }
    }

    /// Bytes on the wire, counted generously: fixed fields, texts and lists with their lengths.
    public var encodedSize: Int {
        18 + 34 + (31 + 6 + 2 + 8 * reign.keepers.count + 2 + 68) + (8 + 2 + 6 + 34 + 28)
            + (4 + title.utf8.count) + (4 + note.utf8.count) + (2 + 8 * outputHolders.count)
    }

    /// Nil, or why a peer's header is refused (S11).
    public var flaw: String? {
        if title.utf8.count > 256 { return "job title over 256 bytes" }
        if note.utf8.count > Self.noteLimit { return "job note over 1024 bytes" }
        if reign.keepers.count > 2 { return "more than two keepers" }
        if outputHolders.count > Self.holderLimit { return "more than four output holders" }
        if !reign.term.isPlausible || !state.author.isPlausible { return "a term that cannot be" }
        if state.run.number == 0 || state.run.number == .max { return "a run that cannot be" }
        if case .partial(let done, _) = state.manifest, done < 0 { return "negative count of tasks" }
        return encodedSize > Self.sizeLimit ? "job header over 4 KiB" : nil
    }

    /// Both headers in one: the newer reign, the higher state. Idempotent, and the order of merging does not
    /// matter.
    public func merged(with other: JobHeader) -> JobHeader {
        precondition(id == other.id, "headers of two jobs merged: \(id) and \(other.id)")
        var result = self
        if other.reign.isNewer(than: reign) { result.reign = other.reign }
        if state < other.state {
            result.state = other.state
            result.note = other.note
            result.outputHolders = other.outputHolders
        } else if state == other.state {
            result.outputHolders = Self.union(outputHolders, other.outputHolders)
            result.note = max(note, other.note)
        }
        return result
    }

    /// The lowest four of both lists, sorted.
    static func union(_ a: [NodeID], _ b: [NodeID]) -> [NodeID] {
        Array(Set(a + b).sorted().prefix(holderLimit))
    }

    /// What a rumour of this header says.
    public var rumour: JobRumour {
        JobRumour(
            job: id, term: reign.term, revision: reign.revision, state: state, holders: outputHolders.count)
    }
}

/// "This job's header changed": at most 100 bytes in gossip; the header itself is pulled over a link
/// (PROTOCOL 3).
public struct JobRumour: Hashable, Sendable {
    /// Which job.
    public let job: JobID
    /// The header's term.
    public let term: Term
    /// The header's revision inside the term.
    public let revision: UInt32
    /// The header's state; on the wire the author and the outputs are shortened to a 16-byte hash.
    public let stateStamp: UInt64
    /// The run, so that most hearers can decide without asking.
    public let run: RunID
    /// How many output holders are named.
    public let holders: Int

    init(job: JobID, term: Term, revision: UInt32, state: RunState, holders: Int) {
        self.job = job
        self.term = term
        self.revision = revision
        self.run = state.run
        self.holders = holders
        stateStamp = Self.stamp(state)
    }

    /// A rumour as it was received.
    public init(job: JobID, term: Term, revision: UInt32, stateStamp: UInt64, run: RunID, holders: Int) {
        (self.job, self.term, self.revision, self.stateStamp) = (job, term, revision, stateStamp)
        (self.run, self.holders) = (run, holders)
    }

    /// Job 16, term 24, revision 4, stamp 8, run 4, holders 1.
    public static let encodedSize = 57

    /// A hash of the state that is the same on every node.
    static func stamp(_ state: RunState) -> UInt64 {
        var h = scrambled(UInt64(state.run.number))
        h = scrambled(h ^ UInt64(state.manifest.rank.kind))
        h = scrambled(h ^ UInt64(truncatingIfNeeded: state.manifest.rank.done))
        h = scrambled(h ^ state.author.counter)
        h = scrambled(h ^ state.author.node.short)
        h = scrambled(h ^ state.author.start)
        return scrambled(h ^ (state.manifest.outputs?.words.0 ?? 0))
    }

    /// True unless `header` certainly holds all that the rumour speaks of.
    public func tellsNews(to header: JobHeader?) -> Bool {
        guard let header else { return true }
        if term > header.term || (term == header.term && revision > header.reign.revision) { return true }
        return run >= header.state.run
            && (stateStamp != Self.stamp(header.state) || holders > header.outputHolders.count)
    }

    /// A word that changes with anything the rumour says; bucket digests are sums of these.
    var word: UInt64 {
        var h = scrambled(job.high ^ scrambled(job.low))
        h = scrambled(h ^ term.counter ^ scrambled(term.node.short ^ scrambled(term.start)))
        h = scrambled(h ^ UInt64(revision))
        return scrambled(h ^ stateStamp ^ UInt64(holders))
    }
}

extension String {
    /// As much of it as fits into so many bytes of UTF-8, whole characters.
    func cut(toBytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var count = 0
        return prefix { letter in
            count += letter.utf8.count
            return count <= limit - 3
        } + "…"
    }
}
