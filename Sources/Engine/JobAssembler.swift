import Mosaic
import Raster
import Synchronization
import TileStore

/// Lays the blobs of a job into its outputs on the coordinator, when all of them are in its store
/// (PROTOCOL.md, section 5). A successor that does it again makes the same bytes.
public final class JobAssembler: Sendable {
    private let job: JobPlan
    private let store: TileStore
    private let limits: MachineLimits
    private let phase = Mutex<AssemblyPhase?>(nil)

    /// A published output file.
    public struct File: Codable, Hashable, Sendable {
        public let name: String
        public let bytes: Int
        /// BLAKE2b-256 in hexadecimal.
        public let digest: String

        public init(name: String, bytes: Int, digest: String) {
            (self.name, self.bytes, self.digest) = (name, bytes, digest)
        }
    }

    public init(job: JobPlan, store: TileStore, limits: MachineLimits) {
        self.job = job
        self.store = store
        self.limits = limits
    }

    /// Output bytes written so far, and about how many there will be; zeros before it begins.
    public var progress: (written: Int, expected: Int) { phase.withLock { $0?.progress ?? (0, 0) } }

    /// Writes and publishes all outputs.
    ///
    /// - Parameters:
    ///   - output: the folder that gets them; made when it is missing.
    ///   - givenUp: tasks that nobody could make, and why; their pixels are marked `readFailed`.
    ///   - stop: asked often; true ends with `JobCancelled`.
    /// - Returns: the files in the order of their making. `provenance.json` says who made what, so it alone
    ///   differs between runs.
    /// - Throws: `MissingBlobs` when blobs are not in the store; a sentence when the disk is full or fails.
    public func run(
        into output: String, givenUp: [Int: String] = [:], stop: @escaping @Sendable () -> Bool = { false }
    ) throws -> [File] {
        let need = MemoryNeed(job.plan, png: job.request.png)
        let threads = try need.threads(within: limits)
        let outputs = try Outputs(job, store: store)
        let folder = try OutputFolder(output)
        let holes = Mutex<[ContentHash]>([])
        defer { for key in holes.withLock({ $0 }) { store.forget(key) } }
        let results = try results(givenUp) { key in holes.withLock { $0.append(key) } }
        let assembly = AssemblyPhase(job: job, results: results, stop: stop)
        phase.withLock { $0 = assembly }
        let made = try outputs.make(results, by: assembly, into: folder, threads: threads)
        return made.files.map { File(name: $0.name, bytes: $0.bytes, digest: "\($0.digest)") }
    }

    /// Each task's blob; those that nobody could make get one that says so.
    private func results(_ givenUp: [Int: String], made: (ContentHash) -> Void) throws -> [TaskResult] {
        var renderer: TaskRenderer?
        var results: [TaskResult] = []
        var missing: [Int] = []
        for task in job.plan.tasks {
            guard let reason = givenUp[task.number] else {
                if let stored = try TaskResult(stored: task.number, of: job, in: store) {
                    results.append(stored)
                } else {
                    missing.append(task.number)
                }
                continue
            }
            let maker = try renderer ?? TaskRenderer(plan: job.plan, cache: BlockCache(limit: 0))
            renderer = maker
            let rendered = maker.renderGivenUp(task, reason: reason)
            let entry = try store.put(.random(), rendered.blob.bytes)
            made(entry.key)
            results.append(
                TaskResult(
                    entry: entry,
                    blob: try Blob(parsing: rendered.blob.bytes, byteCount: rendered.blob.count),
                    wasReused: false, failures: rendered.failures, bytesRead: 0, seconds: 0))
        }
        guard missing.isEmpty else { throw MissingBlobs(tasks: missing) }
        return results
    }
}

/// Blobs that the assembly needs are not in the store.
public struct MissingBlobs: Error, Hashable, Sendable, CustomStringConvertible {
    /// Numbers of their tasks, ascending.
    public let tasks: [Int]

    public var description: String {
        "the blobs of \(tasks.count) tasks, #\(tasks.first ?? 0) first, are not in the store; they have "
            + "to be copied or made again"
    }
}
