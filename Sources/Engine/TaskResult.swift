import Foundation
import Mosaic
import Raster
import TileStore

/// One task's outcome, as the assembly needs it.
struct TaskResult: Sendable {
    let entry: TileStore.Entry
    let blob: Blob
    let wasReused: Bool
    let failures: [String]
    let bytesRead: Int
    /// Wall time on its worker.
    let seconds: Double
}

extension TaskResult {
    /// A task's blob as the store has it; nil when it is not there, or is no blob of this task and was
    /// removed.
    ///
    /// - Throws: `StoreError` when the blob vanishes meanwhile.
    init?(stored number: Int, of job: JobPlan, in store: TileStore) throws {
        let started = ContinuousClock.now
        guard let entry = store.find(job.keys[number]) else { return nil }
        guard let blob = try Self.directory(of: entry, in: store),
            blob.fits(job.plan.tasks[number], of: job.plan)
        else {
            store.remove(entry.key)
            return nil
        }
        self.init(
            entry: entry, blob: blob, wasReused: true, failures: [], bytesRead: 0,
            seconds: (ContinuousClock.now - started).inSeconds)
    }

    /// The directory of a stored blob; nil when it is none of ours.
    private static func directory(of entry: TileStore.Entry, in store: TileStore) throws -> Blob? {
        let file = try store.open(entry)
        defer { close(file) }
        let wanted = min(entry.length, 1 << 20)
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: wanted, alignment: 16)
        defer { buffer.deallocate() }
        guard pread(file, buffer.baseAddress!, wanted, off_t(TileStore.Entry.headBytes)) == wanted else {
            return nil
        }
        let blob = Result { try Blob(parsing: UnsafeRawBufferPointer(buffer), byteCount: entry.length) }
        guard case .success(let blob) = blob else { return nil }
        return blob
    }
}
