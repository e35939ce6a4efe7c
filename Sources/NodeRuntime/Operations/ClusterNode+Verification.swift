import Cluster
import Engine
import Foundation
import Wire

// `verify`: some tasks of a finished job are rendered again on other nodes than those that made them, and the
// digests are compared with those in the published `provenance.json`.

/// What came of one task of a verification.
public struct VerifiedTask: Codable, Equatable, Sendable {
    public let task: Int
    /// Who made it; nil when nobody remembers.
    public let maker: String?
    /// Who made it again; nil when nobody could.
    public let checker: String?
    /// Whether the digests are equal; nil when it could not be made again.
    public let isEqual: Bool?
    /// Why it could not.
    public let reason: String?
}

extension ClusterNode {
    /// A task as `provenance.json` tells of it.
    private struct Published: Decodable {
        struct Task: Decodable {
            let task: Int
            let digest: String
            let failures: [String]
        }

        let tasks: [Task]
    }

    /// A verification that can begin.
    public struct Verification: Sendable {
        fileprivate let job: JobID
        fileprivate let plan: Digest
        fileprivate let digests: [Int: String]
        fileprivate let makers: [Int: NodeID]
        fileprivate let checkers: [NodeID]
        /// The tasks that were drawn.
        public let tasks: [Int]
        /// Tasks of the job that have a result.
        public let total: Int
    }

    /// Draws the tasks of a verification and looks for nodes that can make them again.
    ///
    /// - Parameter share: of the tasks, above 0 and at most 1; at least one is drawn.
    /// - Throws: `RuntimeError`: the job has no outputs, or there is no other node with its engine.
    public func verification(of header: JobHeader, share: Double) async throws -> Verification {
        guard let plan = header.reign.plan, header.state.manifest.outputs != nil else {
            throw RuntimeError("job \(header.id) has no outputs to verify yet; wait until it is complete")
        }
        guard let file = try await outputs(of: header).first(where: { $0.name == "provenance.json" }),
            let bytes = FileManager.default.contents(atPath: file.path)
        else { throw RuntimeError("job \(header.id) has no provenance.json to compare with; resume the job") }
        let published: Published
        do { published = try JSONDecoder().decode(Published.self, from: bytes) } catch {
            throw RuntimeError("the provenance.json of job \(header.id) is damaged: \(error); resume the job")
        }
        let whole = published.tasks.filter(\.failures.isEmpty)
        let able = await look { node in
            (node.jobs?.view.peers ?? []).filter { peer in
                peer.standing == .alive && peer.fingerprint == header.reign.fingerprint
            }.map(\.id)
        }
        guard able.contains(where: { $0 != id }) else {
            throw RuntimeError(
                "no other live node has the engine of job \(header.id); start one to verify the job")
        }
        try await knowPlan(plan, of: header)
        var makers: [Int: NodeID] = [:]
        for node in await members().filter(\.standing.isPresent).map(\.id) + [id] {
            for task in await made(header.id, by: node).tasks { makers[task.index] = node }
        }
        let count = max(1, Int((Double(whole.count) * min(1, share)).rounded(.up)))
        let drawn = whole.shuffled().prefix(count).sorted { $0.task < $1.task }
        return Verification(
            job: header.id, plan: plan,
            digests: Dictionary(drawn.map { ($0.task, $0.digest) }) { first, _ in first }, makers: makers,
            checkers: able, tasks: drawn.map(\.task), total: whole.count)
    }

    /// Has the tasks made again.
    ///
    /// - Parameter report: called for each task, one at a time.
    public func verify(
        _ verification: Verification, report: (VerifiedTask) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var queues: [NodeID: [Int]] = [:]
            for (number, task) in verification.tasks.enumerated() {
                let others = verification.checkers.filter { $0 != verification.makers[task] }
                guard !others.isEmpty else {
                    try await report(verification.failed(task, "no node but its maker can make it"))
                    continue
                }
                queues[others[number % others.count], default: []].append(task)
            }
            let told = AsyncStream<VerifiedTask>.makeStream()
            for (checker, tasks) in queues {
                group.addTask {
                    for task in tasks {
                        told.continuation.yield(await self.check(task, of: verification, on: checker))
                    }
                }
            }
            let expected = queues.values.reduce(0) { $0 + $1.count }
            if expected == 0 { told.continuation.finish() }
            var heard = 0
            for await task in told.stream {
                try await report(task)
                heard += 1
                if heard == expected { break }
            }
        }
    }

    private func check(_ task: Int, of verification: Verification, on checker: NodeID) async -> VerifiedTask {
        let end = ContinuousClock.now + .seconds(900)
        do {
            while ContinuousClock.now < end {
                let status = try await render(verification, task, on: checker)
                switch status {
                case .running: try await Task.sleep(for: .milliseconds(200))
                case .failed(let reason): return verification.failed(task, reason, checker)
                case .done(let digest):
                    let isEqual = verification.digests[task] == digest
                    if !isEqual {
                        logger.error(
                            "a task made again differs from the published one",
                            metadata: [
                                "job": "\(verification.job)", "task": "\(task)", "checker": "\(checker)",
                            ])
                    }
                    return VerifiedTask(
                        task: task, maker: verification.makers[task].map { "\($0)" },
                        checker: "\(checker)", isEqual: isEqual, reason: nil)
                }
            }
            return verification.failed(task, "not made within 15 minutes", checker)
        } catch {
            return verification.failed(task, "\(error)", checker)
        }
    }

    private func render(_ verification: Verification, _ task: Int, on checker: NodeID) async throws
        -> Recomputations.Status
    {
        let (job, plan) = (verification.job, verification.plan)
        guard checker == id else {
            let answer = try await instruct(checker, .render(job, plan: plan, TaskID(task)))
            return try JSONDecoder().decode(Recomputations.Status.self, from: answer)
        }
        return try await onOperations {
            try self.recomputations.status(job, plan, TaskID(task), from: self.id)
        }
    }

    /// Has the plan in this node's journal, from where the checkers take it.
    private func knowPlan(_ plan: Digest, of header: JobHeader) async throws {
        let nodes = ([header.term.node] + header.reign.keepers + header.outputHolders).filter { $0 != id }
        try await onOperations { _ = try self.shell.contents.plan(plan, of: header.id, from: nodes) }
    }

    /// What a node remembers to have made; nothing when it does not answer.
    private func made(_ job: JobID, by node: NodeID) async -> TaskSet {
        if node == id { return madeLog.tasks(of: job) }
        do {
            let answer = try await instruct(node, .made(job))
            return TaskSet(decoding: Array(answer), count: JobPlan.mostTasks) ?? TaskSet()
        } catch {
            logger.debug("node \(node) does not say what it made of job \(job): \(error)")
            return TaskSet()
        }
    }

    /// Runs what may wait on a thread that may.
    private func onOperations<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            operations.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}

extension ClusterNode.Verification {
    fileprivate func failed(_ task: Int, _ reason: String, _ checker: NodeID? = nil) -> VerifiedTask {
        VerifiedTask(
            task: task, maker: makers[task].map { "\($0)" }, checker: checker.map { "\($0)" }, isEqual: nil,
            reason: reason)
    }
}
