import Cluster
import Synchronization
import Wire

/// Counts what a node does, from its start on; from any thread. Nothing is decided by them.
final class NodeTally: Sendable {
    /// Messages and their bytes.
    struct Traffic: Equatable, Sendable {
        var messages = 0
        var bytes = 0
    }

    /// All counts.
    struct Counts: Equatable, Sendable {
        /// By kind: a frame's or an item's.
        var sent: [String: Traffic] = [:]
        var received: [String: Traffic] = [:]
        /// Ended tasks by how they ended here.
        var tasks: [String: Int] = [:]
        /// Ranges that this node gave to thieves of jobs that it does not coordinate.
        var stealsOut = 0
        /// Jobs whose outputs were assembled here.
        var assemblies = 0
    }

    private let state = Mutex(Counts())

    /// The counts now.
    var counts: Counts { state.withLock { $0 } }

    /// A frame of the protocol left.
    func sent(_ frame: Frame, bytes: Int, by own: NodeID) {
        state.withLock { counts in
            counts.sent[frame.kind, default: Traffic()].add(bytes)
            if case .job(let message) = frame, case .grant = message.body, message.term.node != own {
                counts.stealsOut += 1
            }
        }
    }

    /// A frame of the protocol arrived.
    func received(_ frame: Frame, bytes: Int) {
        state.withLock { $0.received[frame.kind, default: Traffic()].add(bytes) }
    }

    /// An item's bytes went to a node that asked for it.
    func sent(_ request: BulkRequest, bytes: Int) {
        state.withLock { $0.sent[request.kind, default: Traffic()].add(bytes) }
    }

    /// An item's bytes came.
    func received(_ request: BulkRequest, bytes: Int) {
        state.withLock { $0.received[request.kind, default: Traffic()].add(bytes) }
    }

    /// The shell told the protocol something.
    func note(_ event: JobEvent) {
        let outcome: String
        switch event {
        case .finished: outcome = "finished"
        case .failed(_, _, _, .input): outcome = "input_missing"
        case .failed: outcome = "failed"
        case .foundNoRoom: outcome = "no_room"
        case .pulled(_, _, _, _, .held): outcome = "copied"
        case .assembled: return state.withLock { $0.assemblies += 1 }
        default: return
        }
        state.withLock { $0.tasks[outcome, default: 0] += 1 }
    }
}

extension NodeTally.Traffic {
    fileprivate mutating func add(_ count: Int) {
        messages += 1
        bytes += count
    }
}

extension Frame {
    /// For metrics.
    var kind: String {
        switch self {
        case .hello: "hello"
        case .packet: "packet"
        case .buckets, .entries: "members"
        case .keys: "keys"
        case .job: "job"
        case .book: "headers"
        }
    }
}

extension BulkRequest {
    /// For metrics.
    var kind: String {
        switch self {
        case .content: "content"
        case .blob: "blob"
        case .manifest: "manifest"
        case .output: "output"
        case .sceneStatus, .sceneRange, .sceneFolder: "scene"
        case .instruction: "instruction"
        case .question: "question"
        }
    }
}
