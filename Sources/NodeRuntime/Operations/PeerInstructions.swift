import Cluster
import Foundation
import Wire

/// Does what users of other nodes want of this one. Calls may block: never on an event loop.
final class PeerInstructions: @unchecked Sendable {
    private let lock = NSLock()
    private weak var node: ClusterNode?

    /// Instructions are for this node, from now on.
    func serve(_ node: ClusterNode) { lock.withLock { self.node = node } }

    /// - Returns: the answer, JSON or an encoded set of tasks.
    /// - Throws: a sentence for the user.
    func answer(_ instruction: PeerInstruction, from peer: NodeID) throws -> [UInt8] {
        guard let node = lock.withLock({ node }) else {
            throw RuntimeError("the node is starting; ask again in a moment")
        }
        switch instruction {
        case .drain(let forced):
            node.logger.notice("node \(peer) passes on the wish that this node leaves")
            try Self.wait { try await node.drain(forced: forced) }
            return Array("{}".utf8)
        case .made(let job): return node.madeLog.tasks(of: job).encoded
        case .render(let job, let plan, let task):
            return Array(
                try JSONEncoder().encode(node.recomputations.status(job, plan, task, from: peer)))
        }
    }

    /// Waits for asynchronous work on a thread that may wait.
    private static func wait<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) throws -> T {
        let result = Awaited<T>()
        Task {
            do { result.give(.success(try await body())) } catch { result.give(.failure(error)) }
        }
        return try result.wait()
    }
}

extension ClusterNode {
    /// Has another node do something.
    ///
    /// - Returns: its answer.
    /// - Throws: `BulkFailure`: it cannot be reached, or says why not.
    func instruct(_ node: NodeID, _ instruction: PeerInstruction) async throws -> Data {
        guard let bulk = parts.bulk else { preconditionFailure("a node without its bulk client") }
        return try await withCheckedThrowingContinuation { continuation in
            operations.async {
                continuation.resume(
                    with: Result {
                        Data(try bulk.bytes(.instruction(instruction), from: node, limit: 16 << 20))
                    })
            }
        }
    }
}
