// Who coordinates a job. Terms are compared whole: a counter alone would let two nodes that took over at the
// same moment both believe that they won.

/// One reign of one coordinator over one job: on its disk before it is used (PROTOCOL 3).
public struct Term: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// One more than the highest that the coordinator knew when it took over.
    public let counter: UInt64
    /// The coordinator.
    public let node: NodeID
    /// The coordinator's start id: a restart of the same node is another reign.
    public let start: UInt64

    /// The reign number `counter` of this start of `node`.
    public init(counter: UInt64, node: NodeID, start: UInt64) {
        self.counter = counter
        self.node = node
        self.start = start
    }

    /// Counters beyond this are made up: they would leave no room for the next term.
    static let counterLimit: UInt64 = 1 << 48

    /// Whether a receiver should believe it (S11).
    public var isPlausible: Bool { counter <= Self.counterLimit }

    /// The term that this start of `node` takes after `self`.
    public func next(for node: NodeID, start: UInt64) -> Term {
        Term(counter: counter &+ 1, node: node, start: start)
    }

    /// Counter, then node, then start.
    public static func < (a: Term, b: Term) -> Bool {
        (a.counter, a.node.short, a.start) < (b.counter, b.node.short, b.start)
    }

    /// `counter/node/start`.
    public var description: String { "\(counter)/\(node)/\(String(start, radix: 16))" }
}

/// How a run stands (PROTOCOL 3). Kinds: complete > partial (more done) > cancelled > running.
public enum Manifest: Hashable, Sendable {
    /// Work goes on.
    case running
    /// A user stopped it.
    case cancelled
    /// It ended with holes: `done` tasks. Without `outputs` nothing could be published: the job failed.
    case partial(done: Int, outputs: Digest?)
    /// Every task is in the outputs.
    case complete(outputs: Digest)

    /// Compared first: the kind, and among partials how much was done.
    var rank: (kind: Int, done: Int) {
        switch self {
        case .running: (0, 0)
        case .cancelled: (1, 0)
        case .partial(let done, _): (2, done)
        case .complete: (3, 0)
        }
    }

    /// What the outputs are named by, if there are any.
    public var outputs: Digest? {
        switch self {
        case .running, .cancelled: nil
        case .partial(_, let outputs): outputs
        case .complete(let outputs): outputs
        }
    }
}

/// The state of a job: its run and that run's manifest. This order alone decides the state (PROTOCOL 3, S7).
public struct RunState: Hashable, Comparable, Sendable {
    /// Later runs win.
    public let run: RunID
    /// Then the higher manifest.
    public let manifest: Manifest
    /// Then the higher term of its author.
    public let author: Term

    /// The manifest that `author` gave to `run`.
    public init(run: RunID, manifest: Manifest, author: Term) {
        self.run = run
        self.manifest = manifest
        self.author = author
    }

    /// Run, kind, done, author; equal so far, the outputs' digest, so that the order is total.
    public static func < (a: RunState, b: RunState) -> Bool {
        let (x, y) = (a.manifest.rank, b.manifest.rank)
        if (a.run.number, x.kind, x.done) != (b.run.number, y.kind, y.done) {
            return (a.run.number, x.kind, x.done) < (b.run.number, y.kind, y.done)
        }
        if a.author != b.author { return a.author < b.author }
        guard let right = b.manifest.outputs else { return false }
        guard let left = a.manifest.outputs else { return true }
        return left < right
    }
}
