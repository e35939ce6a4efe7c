import Foundation
import Mosaic
import Synchronization

/// A decoded block of a source band: samples in the file's own type, row by row, native byte order. Its
/// memory comes from a `BufferPool` and goes back there.
final class DecodedBlock: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer
    /// Samples in a row of the buffer.
    let width: Int
    /// The pixels of the job grid that may want it; nil when nobody knows.
    let jobWindow: PixelWindow?
    private let pool: BufferPool

    init(byteCount: Int, width: Int, jobWindow: PixelWindow?, pool: BufferPool) {
        bytes = pool.take(byteCount)
        self.width = width
        self.jobWindow = jobWindow
        self.pool = pool
    }

    deinit { pool.give(bytes) }
}

/// Which block of which band of which file.
struct BlockKey: Hashable, Sendable {
    let address: String
    let band: Int
    let column: Int
    let row: Int
}

/// Decoded source blocks that all workers share, so that each block is decoded once a node.
///
/// Mosaic windows do not align with source blocks: neighbours want the same block at nearly the same time
/// (PLATFORM.md). The cache is bounded in bytes. When it is full it first forgets the blocks that no
/// unfinished task can want, then those used longest ago. A block that one thread is decoding is waited for,
/// not decoded again.
public final class BlockCache: @unchecked Sendable {
    private struct Entry {
        var block: DecodedBlock?
        var lastUse: UInt64
    }

    /// What forgotten blocks leave for the next ones, inside the same limit.
    let pool: BufferPool
    private let condition = NSCondition()
    private let limit: Int
    private let isWanted: @Sendable (PixelWindow) -> Bool
    private var entries: [BlockKey: Entry] = [:]
    private var held = 0
    private var clock: UInt64 = 0
    private var decodedCount = 0

    /// - Parameters:
    ///   - limit: bytes of decoded samples to keep.
    ///   - isWanted: whether unfinished work touches a window of the job grid; called with the cache locked.
    public init(limit: Int, isWanted: @escaping @Sendable (PixelWindow) -> Bool = { _ in true }) {
        self.limit = limit
        pool = BufferPool(limit: limit)
        self.isWanted = isWanted
    }

    /// Blocks decoded so far; equal to the number of different blocks asked for unless the cache was too
    /// small.
    public var decoded: Int {
        condition.lock()
        defer { condition.unlock() }
        return decodedCount
    }

    /// The block under `key`, decoded by `decode` when nobody has done so.
    func block(_ key: BlockKey, decode: () throws -> DecodedBlock) throws -> DecodedBlock {
        condition.lock()
        while let entry = entries[key] {
            if let block = entry.block {
                clock += 1
                entries[key]?.lastUse = clock
                condition.unlock()
                return block
            }
            condition.wait()
        }
        return try fill(key, decode)
    }

    /// Decodes the block under `key`, unless somebody has done so or is at it.
    func decodeAhead(_ key: BlockKey, decode: () throws -> DecodedBlock) throws {
        condition.lock()
        guard entries[key] == nil else { return condition.unlock() }
        _ = try fill(key, decode)
    }

    /// Decodes the block under `key`, which nobody has; called with the cache locked, and unlocks it.
    private func fill(_ key: BlockKey, _ decode: () throws -> DecodedBlock) throws -> DecodedBlock {
        clock += 1
        entries[key] = Entry(block: nil, lastUse: clock)
        condition.unlock()
        let result = Result { try decode() }
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        switch result {
        case .failure(let error):
            entries[key] = nil
            throw error
        case .success(let block):
            entries[key]?.block = block
            held += block.bytes.count
            decodedCount += 1
            if held > limit { evict() }
            return block
        }
    }

    /// Forgets until a tenth of the limit is free, so that the sort is rare.
    private func evict() {
        let goal = limit - limit / 10
        for (key, entry) in entries {
            guard let block = entry.block, let window = block.jobWindow, !isWanted(window) else { continue }
            forget(key, block)
        }
        guard held > goal else { return }
        let ready = entries.filter { $0.value.block != nil }.sorted { $0.value.lastUse < $1.value.lastUse }
        for (key, entry) in ready.dropLast() {
            guard held > goal, let block = entry.block else { return }
            forget(key, block)
        }
    }

    private func forget(_ key: BlockKey, _ block: DecodedBlock) {
        held -= block.bytes.count
        entries[key] = nil
    }
}
