import Foundation
import Mosaic
import Raster
import Synchronization
import TileStore

/// The first phase of a job: each task's blob is found in the store or rendered and put there.
final class RenderPhase: Sendable {
    private let job: JobPlan
    private let store: TileStore
    private let cacheBytes: Int
    private let openTasks: OpenTasks
    private let stop: @Sendable () -> Bool
    private let state: Mutex<State>

    private struct State {
        var next = 0
        var results: [TaskResult?]
        var progress: JobProgress
        var failed: (any Error)?
        var blocksDecoded = 0
        /// Keys of blobs with holes.
        var holes: [ContentHash] = []
    }

    /// - Parameter stop: asked between blocks; true ends the phase with `JobCancelled`.
    init(job: JobPlan, store: TileStore, cacheBytes: Int, stop: @escaping @Sendable () -> Bool) {
        self.job = job
        self.store = store
        self.stop = stop
        self.cacheBytes = cacheBytes
        openTasks = OpenTasks(job.plan)
        var progress = JobProgress()
        progress.tasksTotal = job.plan.tasks.count
        progress.pixelsTotal = job.plan.tasks.reduce(0) { $0 + $1.window.count }
        state = Mutex(
            State(results: [TaskResult?](repeating: nil, count: job.plan.tasks.count), progress: progress))
    }

    var progress: JobProgress { state.withLock { $0.progress } }

    /// Source blocks decoded; known when the phase has ended.
    var blocksDecoded: Int { state.withLock { $0.blocksDecoded } }

    /// Runs on `threads` workers.
    ///
    /// - Returns: the results in task order.
    /// - Throws: `JobCancelled`; the first failure when the job asked to fail on errors; a full disk.
    func run(threads: Int) throws -> [TaskResult] {
        let count = max(1, min(threads, job.plan.tasks.count))
        let cache = BlockCache(limit: cacheBytes) { [openTasks] in openTasks.touch($0) }
        try Workers.run(count) { [self] _ in
            let renderer = try TaskRenderer(plan: job.plan, cache: cache)
            while let number = takeTask() {
                do {
                    try finish(number, renderer)
                } catch {
                    state.withLock { state in if state.failed == nil { state.failed = error } }
                }
            }
        }
        return try state.withLock { state in
            state.blocksDecoded = cache.decoded
            if let failed = state.failed { throw failed }
            return state.results.compactMap { $0 }
        }
    }

    /// The next task's number; nil at the end, after an error and when told to stop.
    private func takeTask() -> Int? {
        if stop() { state.withLock { $0.failed = $0.failed ?? JobCancelled() } }
        return state.withLock { state in
            guard state.failed == nil, state.next < state.results.count else { return nil }
            defer { state.next += 1 }
            return state.next
        }
    }

    private func finish(_ number: Int, _ renderer: TaskRenderer) throws {
        let started = ContinuousClock.now
        let key = job.keys[number]
        if let stored = try TaskResult(stored: number, of: job, in: store) {
            return record(stored, number)
        }
        let before = renderer.bytesRead
        guard let rendered = renderer.render(job.plan.tasks[number], isCancelled: stop) else {
            throw JobCancelled()
        }
        if let failure = rendered.failures.first, job.request.onError == .fail { throw EngineError(failure) }
        // A blob with holes is no result: it is kept for this run only, under a key of its own.
        let isWhole = rendered.failures.isEmpty
        let entry = try store.put(isWhole ? key : .random(), rendered.blob.bytes)
        if isWhole {
            // The job holds a pin of its own.
            store.unpin(key)
        } else {
            state.withLock { $0.holes.append(entry.key) }
        }
        let blob = try Blob(parsing: rendered.blob.bytes, byteCount: rendered.blob.count)
        record(
            TaskResult(
                entry: entry, blob: blob, wasReused: false, failures: rendered.failures,
                bytesRead: renderer.bytesRead - before, seconds: (ContinuousClock.now - started).inSeconds),
            number)
    }

    /// Removes the blobs of tasks whose sources could not be read.
    func forgetHoles() {
        for key in state.withLock({ $0.holes }) { store.forget(key) }
    }

    private func record(_ result: TaskResult, _ number: Int) {
        openTasks.finished(number)
        state.withLock { state in
            state.results[number] = result
            state.progress.tasksDone += 1
            state.progress.tasksReused += result.wasReused ? 1 : 0
            state.progress.tasksFailed += result.failures.isEmpty ? 0 : 1
            state.progress.pixelsDone += job.plan.tasks[number].window.count
            state.progress.bytesRead += result.bytesRead
        }
    }
}
