// All that nodes say to each other about one job. Every message carries the sender's run and term, so that
// whoever is behind is told (PROTOCOL 3, 4). Handlers are idempotent: each message may be lost, doubled, late
// or reordered.

/// A message about one job.
public struct JobMessage: Equatable, Sendable {
    /// Which job.
    public let job: JobID
    /// The run that the sender knows.
    public let run: RunID
    /// The highest term that the sender knows.
    public let term: Term
    /// What it says.
    public let body: Body

    /// `body`, said by a node that knows `run` and `term` of `job`.
    public init(job: JobID, run: RunID, term: Term, body: Body) {
        (self.job, self.run, self.term, self.body) = (job, run, term, body)
    }

    /// The most results in one message.
    public static let resultLimit = 500

    /// What messages say; the comment names sender and receiver.
    public enum Body: Equatable, Sendable {
        // The record.
        /// Coordinator → keeper or candidate: put header, request and plan on disk (contents are fetched by
        /// digest).
        case keep(JobHeader)
        /// Keeper → coordinator: the header of this term and revision is on my disk, with that plan, and
        /// these results.
        case kept(Term, revision: UInt32, plan: Digest?, done: TaskSet, checksum: UInt64)
        /// Candidate or keeper → coordinator: not here.
        case notKept(reason: String)
        /// Coordinator → keeper, each second.
        case beat(revision: UInt32)
        /// Anyone → anyone: the header as I know it; refuses what a lower term said, announces a take-over.
        case header(JobHeader)
        /// Coordinator → successor: you have the fingerprint, or the room, that I lack.
        case handOver(JobHeader)

        // Watching the coordinator.
        /// Keeper → relay: does the coordinator answer you? Relay → coordinator: the same, for `origin`.
        case probe(origin: NodeID)
        /// Coordinator → relay → `origin`: it still coordinates.
        case coordinating(origin: NodeID)

        // The done log.
        /// Facts, to a keeper or to a coordinator; at most `resultLimit`.
        case results(plan: Digest, [TaskResult])
        /// Keeper, loser of a term → coordinator: I know the digests of these, with this checksum.
        case knows(plan: Digest, TaskSet, checksum: UInt64)
        /// Coordinator → whoever knows: send me these; an empty set is the receipt of `knows`.
        case wantResults(plan: Digest, TaskSet)

        // Work.
        /// Worker → coordinator, each second.
        case heartbeat(plan: Digest, Heartbeat)
        /// Coordinator → worker.
        case reply(HeartbeatReply)
        /// Thief → coordinator, or `asVictim` → worker.
        case ask(AskForWork, asVictim: Bool)
        /// Coordinator → thief: ask this node.
        case victim(NodeID, request: UInt64)
        /// Coordinator or victim → thief, or unasked at the start of a run.
        case grant(Grant)
        /// Coordinator or victim → thief: nothing now.
        case nothing(request: UInt64, byVictim: Bool)
        /// Worker → coordinator: a result, the time it took, and the number of this change of the worker's
        /// blobs.
        case finished(plan: Digest, TaskResult, took: Span?, start: UInt64, holdSequence: UInt64)
        /// Worker → coordinator.
        case failed(plan: Digest, TaskID, FailureKind)

        // Blobs.
        /// Anyone → coordinator: all that I hold.
        case holdings(plan: Digest, TaskSet, start: UInt64, sequence: UInt64)
        /// Coordinator → holder: the receipt.
        case holdingsSeen(sequence: UInt64)
        /// Coordinator → keeper: copy these blobs from me; at most `resultLimit`.
        case hold(plan: Digest, [TaskResult])
        /// Coordinator → holder, keeper → coordinator: your blob does not match its digest.
        case damaged(plan: Digest, TaskID)

        // The outputs.
        /// Coordinator → keeper: copy the outputs and the manifest.
        case keepOutputs(Digest)
        /// Keeper → coordinator.
        case outputsKept(Digest)

        // Users.
        /// Any node → coordinator: a user's request for the run in this message.
        case request(UserRequest, number: UInt64)
        /// Coordinator → that node.
        case answer(UserAnswer, number: UInt64)
    }
}

/// What a user asks of a job; always of one run.
public enum UserRequest: UInt8, Hashable, Sendable { case cancel, resume }

/// What a user is told.
public enum UserAnswer: Hashable, Sendable {
    /// Done.
    case accepted
    /// A later run began meanwhile.
    case superseded(by: RunID)
    /// There is nothing to cancel, or nothing to resume.
    case refused(reason: String)
}
