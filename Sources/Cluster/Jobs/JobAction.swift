// All that the job machines ask of the node around them. Each names the event with which the node answers.

/// What a node has to do for its jobs, in order.
public enum JobAction: Equatable, Sendable {
    /// Send over a link, best effort.
    case send(JobMessage, to: NodeID)
    /// Send a message of the header exchange.
    case exchange(BookMessage, to: NodeID)
    /// Put into gossip.
    case rumour(JobRumour)
    /// Make the header durable. With `contentFrom` (we are to keep the record) the request and the plan too,
    /// fetched from there by digest if they are missing. Then `persisted` with this header and the plan, or
    /// `persistFailed`. Without it (we coordinate) the header is enough, and the plan is told if it is at
    /// hand.
    case persist(JobHeader, contentFrom: NodeID?)
    /// Append to the done log on disk. No answer.
    case persistResults(JobID, plan: Digest, [TaskResult])
    /// Plan the job's request for this engine; then `planned` or `planFailed`. If the request's content is
    /// not here, it is asked of the others for a quarter of an hour first.
    case plan(JobID, RunID, fingerprint: Digest)
    /// Get a plan's content from one of these or anyone, trying until the job ends; then `planKnown`.
    case fetchPlan(JobID, Digest, from: [NodeID])
    /// Run a task; then `finished` or `failed`, and `progressed` meanwhile.
    case start(JobID, TaskID, plan: Digest, isolated: Bool)
    /// Stop a task if it still runs. No answer; a result that comes anyway is welcome.
    case stop(JobID, TaskID)
    /// Copy a blob from one of these nodes and check its digest; then `pulled`.
    case pull(JobID, plan: Digest, TaskResult, from: [NodeID])
    /// Drop a blob that does not match its digest.
    case discard(JobID, plan: Digest, TaskID)
    /// Lay the blobs into outputs; `missing` are holes. Then `assembled` or `assemblyFailed`.
    case assemble(JobID, RunID, plan: Digest, missing: TaskSet)
    /// Copy a run's outputs and manifest from this node; then `outputsStored`. It may be said again while the
    /// copy is under way: that means nothing.
    case copyOutputs(JobID, Digest, from: NodeID)
    /// Keep (or no longer keep) the blobs of this plan whatever the store's bound says.
    case pin(JobID, plan: Digest, Bool)
    /// The job is on so many disks; said for each number at most once by one coordinator.
    case acknowledged(JobID, copies: Int)
    /// The answer to a user's request that was made here.
    case answered(JobID, number: UInt64, UserAnswer)
    /// A header is new or changed.
    case changed(JobHeader)
    /// The job is folded away: forget what is stored for it. Outputs stay.
    case forget(JobID)
    /// One task, two digests under one fingerprint: the job fails, loudly.
    case conflict(JobID, TaskID, Digest, Digest)
    /// A peer broke the rules: close its session.
    case drop(NodeID, reason: String)
}

/// How an attempt to copy a blob ended.
public enum PullOutcome: Hashable, Sendable {
    /// It is here and matches.
    case held
    /// It came and did not match its digest.
    case mismatch
    /// It could not be had there.
    case unreachable
}
