// What the shell tells a node about jobs: the answers to `JobAction`s, and what users want.

/// What a node's process offers to jobs; part of its signed record, so that every node knows it of every
/// other.
public struct Engine: Hashable, Sendable {
    /// Library versions and the self-test's digest in one (PROTOCOL section 3).
    public var fingerprint: Digest
    /// Tasks that it runs at a time.
    public var slots: Int
    /// Bytes that a task may need.
    public var memory: Int
    /// False: it takes no new role and claims nothing.
    public var hasRoom: Bool

    public init(fingerprint: Digest, slots: Int, memory: Int = .max, hasRoom: Bool = true) {
        self.fingerprint = fingerprint
        self.slots = slots
        self.memory = memory
        self.hasRoom = hasRoom
    }

    /// Bytes on the wire.
    public static let encodedSize = 32 + 4 + 8
}

extension JobPlan: Equatable {
    /// A plan is named by its content.
    public static func == (a: JobPlan, b: JobPlan) -> Bool { a.digest == b.digest }
}

/// One event about jobs. Each case feeds the method of the same name of `NodeJobs`.
public enum JobEvent: Equatable, Sendable {
    case submit(JobID, title: String, request: Digest)
    case request(UserRequest, JobID, RunID, number: UInt64)
    case restore(JobHeader, plan: JobPlan?, done: [TaskResult], blobs: [TaskResult], finishedFor: Span)
    case died(JobID, plan: Digest, [TaskID: Int])
    case persisted(JobHeader, plan: JobPlan?)
    case persistFailed(JobHeader, reason: String)
    case planned(JobID, RunID, JobPlan, inputHolders: [NodeID])
    case planFailed(JobID, RunID, reason: String)
    case planKnown(JobID, JobPlan, blobs: [TaskResult])
    case progressed(JobID, TaskID, to: UInt32)
    case finished(JobID, plan: Digest, TaskResult)
    case failed(JobID, plan: Digest, TaskID, FailureKind)
    case foundNoRoom(JobID, TaskID)
    case pulled(JobID, plan: Digest, TaskResult, from: NodeID, PullOutcome)
    case lostBlob(JobID, plan: Digest, TaskID)
    case assembled(JobID, RunID, outputs: Digest)
    case assemblyFailed(JobID, RunID, reason: String)
    case outputsStored(JobID, outputs: Digest)
    case saturated(Bool)
    /// What a transfer to us gets beside the others, as measured lately.
    case linkMeasured(LinkMeasure)
    /// Slots, memory or room changed; the record is signed anew.
    case engineChanged(Engine)
}
