// Every node knows every job by its header. Changes travel as rumours, the headers themselves are pulled, and
// what the rumours miss is found by comparing digests. Finished jobs are folded away in the end (PROTOCOL 3).

/// A header on its way to another node.
public struct AgedHeader: Hashable, Sendable {
    /// The header.
    public let header: JobHeader
    /// How long ago the sender saw the job end; zero for a live one. Ages travel, so that a folded job stays
    /// folded.
    public let finishedFor: Span

    /// `header`, which ended `finishedFor` ago.
    public init(header: JobHeader, finishedFor: Span) {
        self.header = header
        self.finishedFor = finishedFor
    }
}

/// What two nodes tell each other to make their books equal.
public enum BookMessage: Equatable, Sendable {
    /// "My book's 16-byte digest."
    case root(UInt64, UInt64)
    /// The digests of the 256 buckets, after the roots differed; `answer` asks for the receiver's.
    case buckets([UInt64], answer: Bool)
    /// Headers, at most `JobBook.chunk` in one message; the receiver merges them.
    case headers([AgedHeader])
    /// "Send me these", after a rumour; at most `JobBook.chunk`.
    case want([JobID])
}

/// All headers that a node knows.
public struct JobBook: Sendable {
    /// The most headers in one message: with 4 KiB each, well under 1 MiB.
    public static let chunk = 200
    static let keptFor = Span.seconds(90 * 24 * 3600)
    static let finishedLimit = 10_000
    static let liveLimit = 10_000

    /// What the owner of the book has to do.
    public enum Action: Equatable, Sendable {
        /// This header is new or changed: store it, watch its coordinator, tell the UI.
        case changed(JobHeader)
        /// Put this rumour into gossip.
        case rumour(JobRumour)
        /// Send this message.
        case send(BookMessage, to: NodeID)
        /// The job was folded away: forget what is kept for it; outputs stay.
        case folded(JobID)
        /// A peer broke the rules.
        case drop(NodeID, reason: String)
    }

    private var headers: [JobID: JobHeader] = [:]
    private var finishedAt: [JobID: Instant] = [:]
    private var bucketSums = [UInt64](repeating: 0, count: 256)
    private var earliestFolding: Instant?
    /// The protocol fault that is switched on: for tests only.
    var fault: DeliberateFault?

    /// An empty book.
    public init() {}

    /// The header of a job.
    public subscript(id: JobID) -> JobHeader? { headers[id] }

    /// How many jobs the book knows.
    public var count: Int { headers.count }

    /// All headers, by id.
    public var all: [JobHeader] { headers.keys.sorted().compactMap { headers[$0] } }

    /// When `advance` has something to fold.
    public var nextDeadline: Instant? { earliestFolding }

    /// How many of them have not ended.
    public var live: Int { headers.count - finishedAt.count }

    /// True when one more live job would break the bound (S11): a submit is answered "too many jobs".
    public var isFull: Bool { live >= Self.liveLimit }

    // MARK: Events

    /// Our own coordinator changed a header, or the disk told what it held at the start.
    public mutating func update(_ header: JobHeader, finishedFor: Span = .zero, now: Instant) -> [Action] {
        guard let merged = merge(header, finishedFor: finishedFor, now: now) else { return [] }
        return [.changed(merged), .rumour(merged.rumour)] + fold(now)
    }

    /// A rumour came in with gossip from `peer`.
    public mutating func heard(_ rumour: JobRumour, from peer: NodeID) -> [Action] {
        rumour.tellsNews(to: headers[rumour.job]) ? [.send(.want([rumour.job]), to: peer)] : []
    }

    /// The start of an exchange with `peer`, every 10 s with a random member.
    public func compare(with peer: NodeID) -> [Action] {
        fault == .booksNeverCompared ? [] : [.send(root, to: peer)]
    }

    /// A message of the exchange.
    public mutating func received(_ message: BookMessage, from peer: NodeID, now: Instant) -> [Action] {
        switch message {
        case .root(let high, let low):
            return root == .root(high, low) ? [] : [.send(.buckets(bucketSums, answer: true), to: peer)]
        case .buckets(let theirs, let answer):
            guard theirs.count == 256 else {
                return [.drop(peer, reason: "\(theirs.count) buckets instead of 256")]
            }
            let differing = headers.keys.filter { bucketSums[bucket($0)] != theirs[bucket($0)] }
            let mine: [Action] = answer ? [.send(.buckets(bucketSums, answer: false), to: peer)] : []
            return mine + send(differing.sorted(), to: peer, now)
        case .want(let jobs):
            guard jobs.count <= Self.chunk else {
                return [.drop(peer, reason: "asks for \(jobs.count) headers at once")]
            }
            return send(jobs, to: peer, now)
        case .headers(let aged):
            guard aged.count <= Self.chunk else {
                return [.drop(peer, reason: "\(aged.count) headers at once")]
            }
            return aged.flatMap { received($0, from: peer, now: now) }
        }
    }

    /// A header from `peer`, in an exchange or with any message.
    public mutating func received(_ aged: AgedHeader, from peer: NodeID, now: Instant) -> [Action] {
        if let flaw = aged.header.flaw { return [.drop(peer, reason: flaw)] }
        guard aged.finishedFor >= .zero else {
            return [.drop(peer, reason: "a job that ended in the future")]
        }
        if headers[aged.header.id] == nil, aged.header.isLive, isFull {
            return [.drop(peer, reason: "more than \(Self.liveLimit) live jobs")]
        }
        guard let merged = merge(aged.header, finishedFor: aged.finishedFor, now: now) else { return [] }
        return [.changed(merged), .rumour(merged.rumour)] + fold(now)
    }

    /// Folds away what was kept long enough.
    public mutating func advance(now: Instant) -> [Action] {
        guard let due = earliestFolding, due <= now else { return [] }
        return fold(now)
    }

    // MARK: Helpers

    private var root: BookMessage {
        var (high, low): (UInt64, UInt64) = (0, 0)
        for (index, sum) in bucketSums.enumerated() {
            high = scrambled(high ^ sum)
            low = low &+ scrambled(sum ^ UInt64(index))
        }
        return .root(high, low)
    }

    private func bucket(_ id: JobID) -> Int { Int(scrambled(id.high ^ scrambled(id.low)) >> 56) }

    private func send(_ jobs: [JobID], to peer: NodeID, _ now: Instant) -> [Action] {
        let aged = jobs.compactMap { id in
            headers[id].map { header in
                AgedHeader(header: header, finishedFor: finishedAt[id].map { now - $0 } ?? .zero)
            }
        }
        return stride(from: 0, to: aged.count, by: Self.chunk).map {
            .send(.headers(Array(aged[$0..<min($0 + Self.chunk, aged.count)])), to: peer)
        }
    }

    /// The merged header if it differs from what was known.
    private mutating func merge(_ header: JobHeader, finishedFor: Span, now: Instant) -> JobHeader? {
        let old = headers[header.id]
        if old == nil, !header.isLive, finishedFor >= Self.keptFor { return nil }
        var merged = old?.merged(with: header) ?? header
        if fault == .termsByCounter, let old, old.term.counter == header.term.counter, old.term != header.term
        {
            merged.reign = old.reign
        }
        if fault == .manifestOrderIgnored { merged.state = header.state }
        if let old {
            if !merged.isLive { note(finished: header.id, since: now - finishedFor) }
            guard old != merged else { return nil }
            bucketSums[bucket(old.id)] &-= old.rumour.word
        }
        headers[header.id] = merged
        bucketSums[bucket(merged.id)] &+= merged.rumour.word
        if merged.isLive {
            finishedAt[merged.id] = nil
        } else {
            note(finished: merged.id, since: now - finishedFor)
        }
        return merged
    }

    private mutating func note(finished id: JobID, since: Instant) {
        let at = min(finishedAt[id] ?? since, since)
        finishedAt[id] = at
        earliestFolding = min(earliestFolding ?? at + Self.keptFor, at + Self.keptFor)
    }

    private mutating func fold(_ now: Instant) -> [Action] {
        let excess = finishedAt.count - Self.finishedLimit
        guard excess > 0 || earliestFolding.map({ $0 <= now }) == true else { return [] }
        let oldestFirst = finishedAt.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        let folded = oldestFirst.enumerated()
            .filter { $0.offset < excess || $0.element.value + Self.keptFor <= now }.map(\.element.key)
        for id in folded {
            if let old = headers.removeValue(forKey: id) { bucketSums[bucket(id)] &-= old.rumour.word }
            finishedAt[id] = nil
        }
        earliestFolding = finishedAt.values.min().map { $0 + Self.keptFor }
        return folded.map { .folded($0) }
    }
}
