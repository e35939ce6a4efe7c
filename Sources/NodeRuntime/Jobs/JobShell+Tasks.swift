import Cluster
import Engine
import Foundation
import Mosaic
import TileStore

// Tasks on this node's workers.

extension JobShell {
    /// Renders a task and tells the protocol how it went.
    func start(_ task: TaskID, _ job: JobID, _ plan: Digest) {
        guard let open = openJob(job, plan) else {
            return answer(.failed(job, plan: plan, task, .error(reason: "the plan is not here")))
        }
        let pulse = Pulse(every: 1)
        pool.start(task.index, of: open) { [self] blocks in
            if pulse.isDue() { answer(.progressed(job, task, to: UInt32(clamping: blocks + 1))) }
        } report: { [self] outcome in
            report(outcome, task, job, plan, open)
        }
    }

    /// Stops a task that waits or runs.
    func stop(_ task: TaskID, _ job: JobID) {
        if let open = state.withLock({ $0[job]?.open }) { pool.stop(task.index, of: open.job) }
    }

    private func report(
        _ outcome: TaskPool.Outcome, _ task: TaskID, _ job: JobID, _ plan: Digest, _ open: OpenJob
    ) {
        switch outcome {
        case .finished(let entry, _, _):
            // The protocol pins what it needs; the pin of `put` has done its work.
            answer(.finished(job, plan: plan, TaskResult(task: task, digest: Digest(entry.digest))))
            parts.store.unpin(entry.key)
        case .unreadable(let sentences):
            let reason = sentences.joined(separator: "; ")
            let isRemote = open.readsFromElsewhere(task.index)
            answer(.failed(job, plan: plan, task, isRemote ? .input(reason: reason) : .error(reason: reason)))
        case .failed(let reason): answer(.failed(job, plan: plan, task, .error(reason: reason)))
        case .noRoom(let reason):
            parts.logger.warning("no room for blobs: \(reason)")
            answer(.foundNoRoom(job, task))
        case .stopped: break
        }
    }

    /// The job with its cache of decoded blocks; one for all tasks of a plan.
    private func openJob(_ job: JobID, _ plan: Digest) -> OpenJob? {
        guard let known = contents.plan(inMemory: plan) else { return nil }
        return state.withLock { state in
            if let open = state[job]?.open, open.plan == plan { return open.job }
            let owner = known.content.owner.map(NodeID.init(short:))
            let open = OpenJob(known.engine, cacheBytes: cacheBytes(for: known.engine)) {
                parts.reach($0, owner)
            }
            state[job, default: Work()].open = (plan, open)
            return open
        }
    }

    /// The same for work apart from the node's own, with a small cache.
    func openApart(_ known: JobContents.Known) -> OpenJob {
        let owner = known.content.owner.map(NodeID.init(short:))
        return OpenJob(known.engine, cacheBytes: cacheBytes(for: known.engine) / 4) {
            parts.reach($0, owner)
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
