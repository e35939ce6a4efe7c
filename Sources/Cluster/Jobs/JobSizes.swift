// Bytes that messages about jobs take on the wire, counted generously, for the simulator's accounts and for
// bounds.

extension JobMessage {
    /// Job 18, run 2, term 26, the body and 4 that say what it is.
    public var encodedSize: Int { 50 + body.encodedSize }
}

extension JobMessage.Body {
    /// A digest takes 34 bytes; a result is a task and a digest; a set of tasks is its ranges.
    var encodedSize: Int {
        switch self {
        case .keep(let header), .header(let header), .handOver(let header): header.encodedSize
        case .kept(_, _, _, let done, _): 26 + 6 + 34 + 9 + done.encodedSize
        case .notKept(let reason): reason.utf8.count + 2
        case .beat: 4
        case .probe, .coordinating, .victim: 16
        case .results(_, let results), .hold(_, let results): 34 + results.encodedSize
        case .knows(_, let tasks, _), .holdings(_, let tasks, _, _): 34 + 16 + tasks.encodedSize
        case .wantResults(_, let tasks): 34 + tasks.encodedSize
        case .heartbeat(_, let beat): 34 + beat.encodedSize
        case .reply(let reply): 8 + reply.over.encodedSize + reply.elsewhere.encodedSize
        case .ask: 40
        case .grant(let grant): 34 + 15 + grant.tasks.encodedSize + grant.isolated.encodedSize
        case .nothing: 9
        case .finished: 34 + 38 + 22
        case .failed(_, _, let kind): 34 + 10 + kind.reason.utf8.count
        case .holdingsSeen: 8
        case .damaged: 38
        case .keepOutputs, .outputsKept: 32
        case .request: 16
        case .answer(.refused(let reason), _): 16 + reason.utf8.count
        case .answer: 16
        }
    }
}

extension FailureKind {
    /// The sentence.
    var reason: String {
        switch self {
        case .input(let reason), .error(let reason): reason
        }
    }
}

extension Heartbeat {
    /// Start, sequences, speed and flags 32; a running task 12, a transfer 20 and its tasks.
    var encodedSize: Int {
        32 + owned.encodedSize + 12 * running.count + unconfirmed.encodedSize
            + gave.reduce(0) { $0 + 20 + $1.tasks.encodedSize }
    }
}

extension [TaskResult] {
    /// A task 4 and a digest 32 each.
    var encodedSize: Int { 14 + 36 * count }
}

extension TaskSet {
    /// Two numbers a range, and their count.
    var encodedSize: Int { 4 + 8 * ranges.count }
}

extension BookMessage {
    /// The content, tag included.
    public var encodedSize: Int {
        switch self {
        case .root: 20
        case .buckets(let digests, _): 9 + 8 * digests.count
        case .headers(let headers): headers.reduce(4) { $0 + $1.header.encodedSize + 15 }
        case .want(let jobs): 8 + 16 * jobs.count
        }
    }
}
