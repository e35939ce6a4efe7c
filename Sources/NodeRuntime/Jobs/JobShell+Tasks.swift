import Cluster
import Engine
import Foundation
import Mosaic
import TileStore

// Tasks on this node's workers.

extension JobShell {
    /// Renders a task and tells the protocol how it went.
    ///
    /// - Parameter isolated: in a child process, because processes died of it.
    func start(_ task: TaskID, _ job: JobID, _ plan: Digest, isolated: Bool) {
        let open: OpenJob
        do { open = try openJob(job, plan) } catch {
            return answer(.failed(job, plan: plan, task, .error(reason: "\(error)")))
        }
        let pulse = Pulse(every: 1)
        let began = ContinuousClock.now
        let name = TaskLedger.Name(job, plan, task)
        let way: TaskPool.OtherWay? = isolated ? child(task, plan, open) : nil
        pool.start(task.index, of: open, way: way) { [self] blocks in
            // A child's death is not ours.
            if blocks == 0, !isolated { parts.ledger.begin(name) }
            if pulse.isDue() { answer(.progressed(job, task, to: UInt32(clamping: blocks + 1))) }
        } report: { [self] outcome in
            parts.ledger.end(name)
            report(outcome, task, job, plan, open, began)
        }
    }

    private func child(_ task: TaskID, _ plan: Digest, _ open: OpenJob) -> TaskPool.OtherWay {
        let cacheBytes = cacheBytes(for: open.job)
        return { [self] progress, isStopped in
            guard let content = try contents.bytes(plan) else { return .failed("the plan is not here") }
            parts.logger.warning("task \(task) runs in a process of its own, for others died of it")
            return try parts.isolation.render(
                task.index, of: open, content: content, cacheBytes: cacheBytes, progress: progress,
                isStopped: isStopped)
        }
    }

    /// Stops a task that waits or runs.
    func stop(_ task: TaskID, _ job: JobID) {
        if let open = state.withLock({ $0[job]?.open }) { pool.stop(task.index, of: open.job) }
    }

    private func report(
        _ outcome: TaskPool.Outcome, _ task: TaskID, _ job: JobID, _ plan: Digest, _ open: OpenJob,
        _ began: ContinuousClock.Instant
    ) {
        switch outcome {
        case .finished(let entry, _, _):
            // Until the protocol says what it needs, the job keeps all of its blobs.
            pinAtWork(job, plan)
            answer(.finished(job, plan: plan, TaskResult(task: task, digest: Digest(entry.digest))))
            parts.store.unpin(entry.key)
        case .unreadable(let sentences):
            let kind = parts.scenes.failure(sentences, reading: open.addresses(of: task.index), since: began)
            answer(.failed(job, plan: plan, task, kind))
        case .failed(let reason): answer(.failed(job, plan: plan, task, .error(reason: reason)))
        case .noRoom(let reason):
            parts.room.lost(reason)
            answer(.foundNoRoom(job, task))
        case .stopped: break
        }
    }

    /// The job with its cache of decoded blocks; one for all tasks of a plan.
    ///
    /// - Throws: a sentence when the plan is not here, or needs more memory than this node gives: the
    ///   protocol starts a task that is alone whatever it needs, and a plan may come from anywhere.
    private func openJob(_ job: JobID, _ plan: Digest) throws -> OpenJob {
        if let open = state.withLock({ $0[job]?.open }), open.plan == plan { return open.job }
        guard let known = contents.plan(inMemory: plan) else { throw RuntimeError("the plan is not here") }
        _ = try MemoryNeed(known.engine.plan, png: known.engine.request.png).threads(within: parts.limits)
        return state.withLock { state in
            if let open = state[job]?.open, open.plan == plan { return open.job }
            let open = OpenJob(known.engine, cacheBytes: cacheBytes(for: known.engine)) {
                [scenes = parts.scenes, owners = known.content.owners] file in
                scenes.address(of: file, owner: owners[file.address].map(NodeID.init(short:)))
            }
            state[job, default: Work()].open = (plan, open)
            return open
        }
    }

    /// The same for work apart from the node's own, with a small cache.
    func openApart(_ known: JobContents.Known) -> OpenJob {
        return OpenJob(known.engine, cacheBytes: cacheBytes(for: known.engine) / 4) {
            [scenes = parts.scenes, owners = known.content.owners] file in
            scenes.address(of: file, owner: owners[file.address].map(NodeID.init(short:)))
        }
    }

    private func cacheBytes(for job: EnginePlan) -> Int {
        MemoryNeed(job.plan, png: job.request.png).cacheBytes(
            within: parts.limits, threads: parts.limits.threads)
    }
}

/// Says at most so often that it is time again. One thread's.
private final class Pulse: @unchecked Sendable {
    private let seconds: Double
    private var last = ContinuousClock.now

    init(every seconds: Double) { self.seconds = seconds }

    func isDue() -> Bool {
        let now = ContinuousClock.now
        guard now - last >= .seconds(seconds) else { return false }
        last = now
        return true
    }
}
