// Bytes that messages about jobs take on the wire, counted generously, for the simulator's accounts and for
// bounds.

extension JobMessage {
    /// Job 16, run 4, term 24, tag 1, and the body.
    public var encodedSize: Int { 45 + body.encodedSize }
}

extension JobMessage.Body {
    /// A result is a task and a digest; a set of tasks is its ranges.
    var encodedSize: Int {
        switch self {
        case .keep(let header), .header(let header), .handOver(let header): header.encodedSize
        case .kept(_, _, _, let done, _): 24 + 4 + 33 + 8 + done.encodedSize
        case .notKept(let reason): reason.utf8.count + 2
        case .beat: 4
        case .probe, .coordinating, .victim: 16
        case .results(_, let results), .hold(_, let results): 32 + 36 * results.count
        case .knows(_, let tasks, _), .holdings(_, let tasks, _, _): 32 + 16 + tasks.encodedSize
        case .wantResults(_, let tasks): 32 + tasks.encodedSize
        case .heartbeat: 160
        case .reply: 64
        case .ask: 40
        case .grant: 128
        case .nothing: 9
        case .finished: 32 + 36 + 24
        case .failed: 32 + 4 + 64
        case .holdingsSeen: 8
        case .damaged: 36
        case .keepOutputs, .outputsKept: 32
        case .request, .answer: 16
        }
    }
}

extension TaskSet {
    /// Two numbers a range, and their count.
    var encodedSize: Int { 4 + 8 * ranges.count }
}

extension BookMessage {
    /// The content, tag included.
    public var encodedSize: Int {
        switch self {
        case .root: 17
        case .buckets(let digests, _): 2 + 8 * digests.count
        case .headers(let headers): headers.reduce(4) { $0 + $1.header.encodedSize + 8 }
        case .want(let jobs): 4 + 16 * jobs.count
        }
    }
}
