import Cluster
import Engine
import Foundation
import TileStore

/// Renders tasks again for `verify`, apart from the node's work: one at a time, in a store of its own that
/// forgets each blob at once, so that nothing made before can answer.
final class Recomputations: @unchecked Sendable {
    /// How far the recomputation of one task is.
    enum Status: Codable, Equatable, Sendable {
        case running
        /// The blob's digest in hexadecimal.
        case done(digest: String)
        case failed(reason: String)
    }

    private struct Name: Hashable {
        let plan: Digest
        let task: TaskID
    }

    private let shell: JobShell
    private let folder: String
    private let lock = NSLock()
    private var states: [Name: Status] = [:]
    private var bench: (store: TileStore, pool: TaskPool)?
    private var open: (plan: Digest, job: OpenJob)?

    /// Recomputations that are remembered at most; others are refused until these were told.
    private static let most = 1024

    /// - Parameter folder: of the store; made when it is needed.
    init(_ shell: JobShell, folder: String) { (self.shell, self.folder) = (shell, folder) }

    /// Begins to render the task, or tells how far it is; how it ended is told once.
    ///
    /// - Parameter node: has the plan.
    /// - Throws: a sentence: nobody has the plan, the disk is full.
    func status(_ job: JobID, _ plan: Digest, _ task: TaskID, from node: NodeID) throws -> Status {
        let name = Name(plan: plan, task: task)
        let known: Status? = try lock.withLock {
            if let state = states[name] {
                if state != .running { states[name] = nil }
                return state
            }
            guard states.count < Self.most else {
                throw RuntimeError("this node verifies too much at once; ask again later")
            }
            states[name] = .running
            return nil
        }
        if let known { return known }
        do { try begin(name, job, from: node) } catch {
            lock.withLock { states[name] = nil }
            throw error
        }
        return .running
    }

    private func begin(_ name: Name, _ job: JobID, from node: NodeID) throws {
        let known = try shell.contents.plan(name.plan, of: job, from: [node])
        guard known.engine.keys.indices.contains(name.task.index) else {
            throw RuntimeError("job \(job) has no task \(name.task)")
        }
        let (bench, open) = try lock.withLock {
            let bench = try self.bench ?? self.makeBench()
            let open = self.open?.plan == name.plan ? self.open?.job : nil
            self.bench = bench
            return (bench, open)
        }
        let work = open ?? shell.openApart(known)
        lock.withLock { self.open = (name.plan, work) }
        bench.pool.start(name.task.index, of: work) { [self] outcome in
            let status: Status
            switch outcome {
            case .finished(let entry, _, _):
                bench.store.forget(entry.key)
                status = .done(digest: "\(entry.digest)")
            case .unreadable(let reasons): status = .failed(reason: reasons.joined(separator: "; "))
            case .failed(let reason), .noRoom(let reason): status = .failed(reason: reason)
            case .stopped: status = .failed(reason: "the node stops")
            }
            lock.withLock { states[name] = status }
        }
    }

    private func makeBench() throws -> (store: TileStore, pool: TaskPool) {
        let store = try TileStore(folder: folder, limit: 1 << 30)
        store.collect(everything: true)
        return (store, TaskPool(threads: 1, store: store))
    }

    /// Stops what runs.
    func shutDown() { lock.withLock { bench }?.pool.shutDown() }
}
