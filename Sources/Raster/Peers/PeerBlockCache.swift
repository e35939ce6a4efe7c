import Foundation

// Blocks of remote files that all workers share. Neighbouring windows want the same bytes at nearly the same
// time, and every fetch costs a round trip, so a block is fetched once, and a run of missing blocks in one
// question.

/// Fetched bytes of peers' files, bounded in size, those used longest ago forgotten first.
final class PeerBlockCache: @unchecked Sendable {
    /// Which version of which file.
    struct File: Hashable, Sendable {
        let node: String
        let path: String
        let version: UInt64
    }

    private struct Key: Hashable {
        let file: File
        let index: Int
    }

    private enum Entry {
        /// Somebody fetches it; wait.
        case fetching
        case held([UInt8], use: UInt64)
    }

    /// Bytes of a block.
    static let blockSize = 256 << 10
    /// Blocks that are asked for at once.
    static let longestRun = 16

    private let condition = NSCondition()
    private var entries: [Key: Entry] = [:]
    private var bytes = 0
    private var uses: UInt64 = 0
    private let limit: Int

    /// - Parameter limit: bytes.
    init(limit: Int) { self.limit = max(limit, Self.blockSize) }

    /// Bytes held now.
    var byteCount: Int { condition.withLock { bytes } }

    /// Copies the file's bytes from `offset` into `output`; fewer only at the end of the file.
    ///
    /// - Parameter fetch: asks the owner for bytes from an offset; called without a lock held.
    /// - Returns: how many bytes were copied.
    func read(
        _ file: File, size: Int, offset: Int, into output: UnsafeMutableRawBufferPointer,
        fetch: (_ offset: Int, _ count: Int) throws -> [UInt8]
    ) throws -> Int {
        let end = min(size, offset + output.count)
        var at = offset
        while at < end {
            let index = at / Self.blockSize
            let block = try block(file, index, size: size, last: (end - 1) / Self.blockSize, fetch)
            let skip = at - index * Self.blockSize
            let count = min(block.count - skip, end - at)
            guard count > 0 else { break }
            block.withUnsafeBytes { block in
                UnsafeMutableRawBufferPointer(rebasing: output[(at - offset)...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: block[skip..<(skip + count)]))
            }
            at += count
        }
        return max(0, at - offset)
    }

    private func block(
        _ file: File, _ index: Int, size: Int, last: Int, _ fetch: (Int, Int) throws -> [UInt8]
    ) throws -> [UInt8] {
        condition.lock()
        while true {
            switch entries[Key(file: file, index: index)] {
            case .held(let block, _):
                uses += 1
                entries[Key(file: file, index: index)] = .held(block, use: uses)
                condition.unlock()
                return block
            case .fetching: condition.wait()
            case nil:
                var run = index..<(index + 1)
                while run.upperBound <= last, run.count < Self.longestRun,
                    entries[Key(file: file, index: run.upperBound)] == nil
                {
                    run = run.lowerBound..<(run.upperBound + 1)
                }
                for missing in run { entries[Key(file: file, index: missing)] = .fetching }
                condition.unlock()
                return try fill(file, run, size: size, fetch)
            }
        }
    }

    /// Fetches a run that this thread has claimed; its first block.
    private func fill(
        _ file: File, _ run: Range<Int>, size: Int, _ fetch: (Int, Int) throws -> [UInt8]
    ) throws -> [UInt8] {
        let start = run.lowerBound * Self.blockSize
        let wanted = min(size, run.upperBound * Self.blockSize) - start
        let outcome = Result { try fetch(start, wanted) }
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        for index in run { entries[Key(file: file, index: index)] = nil }
        let fetched = try outcome.get()
        guard fetched.count == wanted else {
            throw RasterError(
                "cannot read \(file.path.onOneLine) of node \(file.node): it sent \(fetched.count) of "
                    + "\(wanted) bytes; the file was cut short while it was read, start the job again")
        }
        var first: [UInt8] = []
        for index in run {
            let from = index * Self.blockSize - start
            let block = Array(fetched[from..<min(from + Self.blockSize, wanted)])
            if index == run.lowerBound { first = block }
            uses += 1
            entries[Key(file: file, index: index)] = .held(block, use: uses)
            bytes += block.count
        }
        forget()
        return first
    }

    /// Forgets an eighth more than it must, so that the search for the oldest is rare.
    private func forget() {
        guard bytes > limit else { return }
        let held = entries.compactMap { key, entry -> (key: Key, use: UInt64, count: Int)? in
            if case .held(let block, let use) = entry { (key, use, block.count) } else { nil }
        }
        for (key, _, count) in held.sorted(by: { $0.use < $1.use }) {
            guard bytes > limit - limit / 8 else { return }
            entries[key] = nil
            bytes -= count
        }
    }
}
