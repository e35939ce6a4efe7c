import Foundation
import Mosaic
import Raster
import Synchronization
import TileStore

/// Runs a whole job on this machine: renders what the store lacks, assembles the outputs, publishes them
/// together.
///
/// Killed at any moment, it goes on with the next run of the same request: finished tasks are found in the
/// store.
public final class JobRunner: Sendable {
    private let job: JobPlan
    private let store: TileStore
    private let limits: MachineLimits
    private let phases = Mutex(Phases())

    private struct Phases {
        var render: RenderPhase?
        var assembly: AssemblyPhase?
    }

    public init(job: JobPlan, store: TileStore, limits: MachineLimits) {
        self.job = job
        self.store = store
        self.limits = limits
    }

    /// Where the job stands; may be asked from any thread.
    public var progress: JobProgress {
        let (render, assembly) = phases.withLock { ($0.render, $0.assembly) }
        var progress = render?.progress ?? JobProgress()
        if let assembly {
            progress.phase = .assembling
            (progress.bytesWritten, progress.bytesExpected) = assembly.progress
        }
        return progress
    }

    /// Runs to the end.
    ///
    /// - Parameters:
    ///   - output: folder of the outputs; made when it is missing.
    ///   - stop: asked often, from worker threads; true ends the job with `JobCancelled`.
    /// - Throws: a sentence; nothing is left in `output` then.
    public func run(into output: String, stop: @escaping @Sendable () -> Bool = { false }) throws
        -> JobSummary
    {
        let started = ContinuousClock.now
        let need = MemoryNeed(job.plan, png: job.request.png)
        let threads = try need.threads(within: limits)
        let outputs = try Outputs(job, store: store)
        let folder = try OutputFolder(output, bypassingCache: true)
        for key in job.keys { store.pin(key) }
        try folder.check(job.outputNames, keeping: job.filesRead)
        defer {
            for key in job.keys { store.unpin(key) }
            store.collect()
        }
        let render = RenderPhase(
            job: job, store: store, cacheBytes: need.cacheBytes(within: limits, threads: threads), stop: stop)
        phases.withLock { $0.render = render }
        defer { render.forgetHoles() }
        let results = try render.run(threads: threads)
        let rendered = ContinuousClock.now
        let assembly = AssemblyPhase(job: job, results: results, stop: stop)
        phases.withLock { $0.assembly = assembly }
        let made = try outputs.make(results, by: assembly, into: folder, threads: threads)
        var summary = summary(output, render, results, made)
        summary.seconds = (ContinuousClock.now - started).inSeconds
        summary.renderSeconds = (rendered - started).inSeconds
        return summary
    }

    private func summary(
        _ output: String, _ render: RenderPhase, _ results: [TaskResult], _ made: Outputs.Made
    ) -> JobSummary {
        let progress = render.progress
        var failures: [String] = []
        for failure in results.flatMap(\.failures) where !failures.contains(failure) {
            failures.append(failure)
        }
        return JobSummary(
            state: failures.isEmpty ? .done : .partial, output: output,
            files: made.files.map(\.name), columns: job.plan.grid.columns,
            rows: job.plan.grid.rows, crs: job.plan.grid.crs.name,
            products: made.products.map { product in
                let statistics = product.statistics.count > 0 ? product.statistics : nil
                return JobSummary.Product(
                    name: product.index.name, counts: product.counts,
                    minimum: statistics.map { Double($0.minimum) },
                    maximum: statistics.map { Double($0.maximum) },
                    mean: statistics?.mean, standardDeviation: statistics?.standardDeviation,
                    files: [product.cog.name] + (product.png.map { [$0.name] } ?? []))
            },
            seconds: 0, renderSeconds: 0, bytesRead: progress.bytesRead,
            bytesWritten: made.files.reduce(0) { $0 + $1.bytes },
            tasks: progress.tasksTotal, tasksReused: progress.tasksReused, tasksFailed: progress.tasksFailed,
            blocksDecoded: render.blocksDecoded, failures: failures,
            warnings: job.plan.scenes.flatMap { scene in scene.warnings.map { "\(scene.id): \($0)" } })
    }
}

extension Duration {
    /// As a number of seconds.
    public var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// What a job takes of a machine's memory.
public struct MemoryNeed: Sendable {
    /// Bytes that a worker holds besides the shared cache.
    public let worker: Int
    /// Decoded source blocks that neighbours share, at least.
    static let leastCache = 32 << 20
    static let mostCache = 224 << 20

    /// An upper estimate from the plan's sizes.
    public init(_ plan: MosaicPlan, png: Bool) {
        let block = MosaicPlan.blockEdge * MosaicPlan.blockEdge
        let task = plan.taskEdge * plan.taskEdge
        let indices = plan.indices.count
        let scenes = plan.tasks.map(\.scenes.count).max() ?? 1
        let stack = plan.rules.select.composite == .median ? min(scenes, 16) * block * 4 * indices : 0
        let perBlock = block * (4 * plan.usedBands.count + 32 + 20 * indices) + stack
        // A blob of incompressible floats, its overviews, the palette plane and the next level's pixels.
        let perTask = indices * (task * 4 * 4 / 3 + task + task + plan.taskEdge * MosaicPlan.blockEdge)
        let strip = png ? plan.grid.columns * MosaicPlan.blockEdge * 2 + (8 << 20) : 0
        worker = max(perBlock + perTask, strip) + (8 << 20)
    }

    /// Workers that fit in the machine's limits: as many as there are threads, or fewer.
    ///
    /// - Throws: `EngineError` when not one fits.
    public func threads(within limits: MachineLimits) throws -> Int {
        let fit = (limits.memory - Self.leastCache) / worker
        guard fit >= 1 else {
            throw EngineError(
                "the job needs \((worker + Self.leastCache) >> 20) MiB of memory a worker and may use "
                    + "\(limits.memory >> 20) MiB; give it more with --memory, or ask for fewer indices")
        }
        return min(limits.threads, fit)
    }

    /// Bytes that so many workers and their shared cache hold, at most.
    public func bytes(within limits: MachineLimits, threads: Int) -> Int {
        threads * worker + cacheBytes(within: limits, threads: threads)
    }

    /// Bytes for the cache of decoded blocks.
    public func cacheBytes(within limits: MachineLimits, threads: Int) -> Int {
        min(Self.mostCache, max(Self.leastCache, (limits.memory - threads * worker) / 2))
    }
}
