import Cluster

/// What the checks remember of jobs. Most of it is kept per job at its *leader*: the process that holds the
/// highest term on its disk, because what a coordinator of a lower term believes is no concern of anybody.
struct JobWatch {
    /// Sampling once a second sees a change up to so late.
    static let sampling: Int64 = 1_000_000_000

    /// The process that leads a job, and since when it does.
    struct Leader {
        let machine: Int
        let generation: Int
        let term: Term
        let run: RunID
        /// First seen to wait for reports, to grant tasks.
        var gathering: Int64?
        var running: Int64?

        func isSame(as other: Leader) -> Bool {
            (machine, generation, term, run) == (other.machine, other.generation, other.term, other.run)
        }
    }

    /// A claim of which a coordinator heard, or which it made.
    struct Receipt {
        let time: Int64
        let job: JobID
        let tasks: TaskSet
    }

    /// A run of a task on a machine.
    struct RunKey: Hashable {
        let job: JobID
        let task: TaskID
    }

    struct Run {
        let since: Int64
        /// The term whose coordinator granted it as a speculative copy.
        let speculative: Term?
        /// One copy of a term is always allowed.
        let isFirst: Bool
        /// How long its machine stood still meanwhile, and took no processor time.
        var stalled: Int64 = 0

        /// The processor time up to a moment.
        func spent(at time: Int64) -> Int64 { max(0, time - since - stalled) }
    }

    /// CPU nanoseconds that the ended runs of a job took.
    struct Processor {
        var all: Int64 = 0
        /// Of the speculative copies of each term that were not its first.
        var speculative: [Term: Int64] = [:]
        var copies = 0
        var firsts: Set<Term> = []
    }

    /// A heartbeat, and the claims that heard it.
    struct Beat {
        let term: Term
        let run: RunID
        let start: UInt64
        let sequence: UInt64
        /// When it came, in virtual nanoseconds.
        let heard: Int64

        /// The same or an earlier one of the same start, to the same claims.
        func covers(_ other: Beat) -> Bool {
            (term, run, start) == (other.term, other.run, other.start) && sequence >= other.sequence
        }
    }

    struct Pair: Hashable {
        let job: JobID
        let node: NodeID
    }

    var leaders: [JobID: Leader] = [:]
    /// By machine.
    var receipts: [Int: [Receipt]] = [:]
    var runs: [Int: [RunKey: Run]] = [:]
    var asked: [Int: [UInt64: Int64]] = [:]
    var beats: [Int: [Pair: Beat]] = [:]
    var logs: [Int: [JobID: DoneLog]] = [:]
    /// When something last began or ended on a machine's slots.
    var slotsChanged: [Int: Int64] = [:]
    /// Since when a machine has been seen idle beside profitable work.
    var idle: [Int: Int64] = [:]
    /// Since when a job has had two coordinators, though views agree.
    var rivals: [JobID: Int64] = [:]
    var processors: [JobID: Processor] = [:]
    /// Done tasks of which no live holder was seen since then.
    var unheld: [JobID: [TaskID: Int64]] = [:]
    /// What each set of outputs was made of, by its digest.
    var outputs: [Digest: Outputs] = [:]
    /// Jobs whose record was on fewer than two live disks since then, though a second node was there.
    var thin: [JobID: Int64] = [:]
    /// Jobs whose last live disk with the whole record went down, until there is one again.
    var lost: Set<JobID> = []
    /// Nodes whose disks ever took the header of a job.
    var stored: [JobID: Set<NodeID>] = [:]
    /// Runs that a user asked to cancel.
    var cancels: Set<Cancel> = []
    /// When a process last started or ended, or a fault struck.
    var disturbed: Int64 = 0

    struct Cancel: Hashable {
        let job: JobID
        let run: RunID
    }

    /// How some outputs came about.
    struct Outputs {
        let plan: Digest
        let missing: TaskSet
        /// What a cluster of one node would have made.
        let expected: Digest
    }

    /// A new process knows nothing.
    mutating func restarted(_ machine: Int) {
        (receipts[machine], asked[machine], beats[machine], logs[machine]) = (nil, nil, nil, nil)
        (runs[machine], slotsChanged[machine], idle[machine]) = (nil, nil, nil)
    }
}
