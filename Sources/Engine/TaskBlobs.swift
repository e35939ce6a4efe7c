import Foundation
import Mosaic
import Raster
import TileStore

/// The blobs of a job's tasks, open for reading, found by where they lie in the mosaic.
final class TaskBlobs: Sendable {
    let plan: MosaicPlan
    private let results: [TaskResult]
    private let files: [Int32]
    /// Task number by cell (row × columns + column).
    private let cells: [Int: Int]
    private let cellColumns: Int

    /// Opens every blob; raises the process's limit of open files when it must.
    ///
    /// - Throws: a sentence when one is gone or too many files are open.
    init(plan: MosaicPlan, results: [TaskResult], store: TileStore) throws {
        self.plan = plan
        self.results = results
        let edge = plan.taskEdge
        let columns = (plan.grid.columns + edge - 1) / edge
        cellColumns = columns
        cells = Dictionary(
            uniqueKeysWithValues: plan.tasks.map {
                ($0.window.y / edge * columns + $0.window.x / edge, $0.number)
            })
        Self.allowOpenFiles(results.count + 256)
        var files: [Int32] = []
        do {
            for result in results { files.append(try store.open(result.entry)) }
        } catch {
            for file in files { close(file) }
            self.files = []
            throw error
        }
        self.files = files
    }

    deinit { for file in files { close(file) } }

    /// Levels that tasks hold whole.
    var levelCount: Int { Blob.levelCount(taskEdge: plan.taskEdge) }

    /// Counts and statistics of an index over the mosaic, folded in block order (RASTER.md, Arithmetic).
    func totals(of index: Int) -> (counts: ReasonCounts, statistics: PixelStatistics) {
        var counts = ReasonCounts()
        var statistics = PixelStatistics.none
        let blocks = CogLayout(columns: plan.grid.columns, rows: plan.grid.rows).levels[0]
        let shift = levelCount - 1
        for result in results { counts += result.blob.layers[index].counts }
        counts[.outside] += plan.grid.columns * plan.grid.rows - counts.total
        for row in 0..<blocks.blocksDown {
            for column in 0..<blocks.blocksAcross {
                guard let number = task(row: row >> shift, column: column >> shift) else { continue }
                let blob = results[number].blob
                let across = Blob.level(0, columns: blob.columns, rows: blob.rows).blocksAcross
                let mask = (1 << shift) - 1
                statistics += blob.layers[index].statistics[(row & mask) * across + (column & mask)]
            }
        }
        return (counts, statistics)
    }

    /// Where the framed block of a level that tasks hold whole stands; nil: no valid pixel.
    func place(index: Int, level: Int, row: Int, column: Int) -> BlockPlace? {
        let shift = levelCount - 1 - level
        guard let number = task(row: row >> shift, column: column >> shift) else { return nil }
        let blob = results[number].blob
        let across = Blob.level(level, columns: blob.columns, rows: blob.rows).blocksAcross
        let mask = (1 << shift) - 1
        let part = blob.layers[index].levels[level][(row & mask) * across + (column & mask)]
        guard part.length > 0 else { return nil }
        return BlockPlace(
            fileDescriptor: files[number], offset: TileStore.Entry.headBytes + part.offset,
            length: part.length)
    }

    /// Fills a task's remnant, row by row; nil when all its pixels are NaN.
    func remnant(
        index: Int, column: Int, row: Int, into target: UnsafeMutablePointer<Float>
    ) throws -> (columns: Int, rows: Int)? {
        guard let number = task(row: row, column: column) else { return nil }
        let blob = results[number].blob
        let part = blob.layers[index].remnant
        guard part.length > 0 else { return nil }
        let size = Blob.level(levelCount, columns: blob.columns, rows: blob.rows)
        guard part.length == size.columns * size.rows * 4 else { throw damaged(number) }
        try read(part, of: number, into: UnsafeMutableRawBufferPointer(start: target, count: part.length))
        return (size.columns, size.rows)
    }

    /// Fills a strip of the mosaic's palette indices: the 512 rows (fewer at the end) of block row `row`.
    ///
    /// - Parameter target: rows × mosaic width.
    func palette(index: Int, row: Int, into target: UnsafeMutablePointer<UInt8>, scratch: ByteSink) throws {
        let width = plan.grid.columns
        let edge = MosaicPlan.blockEdge
        let rows = min(edge, plan.grid.rows - row * edge)
        let shift = levelCount - 1
        target.update(repeating: 0, count: rows * width)
        for cell in 0..<cellColumns {
            guard let number = task(row: row >> shift, column: cell) else { continue }
            let blob = results[number].blob
            let part = blob.layers[index].palette[row & ((1 << shift) - 1)]
            guard part.length > 0 else { continue }
            guard part.length == rows * blob.columns else { throw damaged(number) }
            try withBytes(part, of: number, scratch) { bytes in
                let source = bytes.bindMemory(to: UInt8.self).baseAddress!
                for line in 0..<rows {
                    (target + line * width + cell * plan.taskEdge).update(
                        from: source + line * blob.columns, count: blob.columns)
                }
            }
        }
    }

    /// Bytes of the COG blocks of an index, overviews included.
    func blockBytes(of index: Int) -> Int {
        results.reduce(0) { $0 + $1.blob.layers[index].levels.joined().reduce(0) { $0 + $1.length } }
    }

    /// Reads a part of a task's blob into `scratch` and hands it to `body`.
    func withBytes<T>(
        _ part: Blob.Part, of number: Int, _ scratch: ByteSink, _ body: (UnsafeRawBufferPointer) throws -> T
    ) throws -> T {
        try scratch.fill(part.length) { try read(part, of: number, into: $0) }
        return try body(scratch.bytes)
    }

    func blob(_ number: Int) -> Blob { results[number].blob }

    private func task(row: Int, column: Int) -> Int? {
        column < cellColumns ? cells[row * cellColumns + column] : nil
    }

    private func read(_ part: Blob.Part, of number: Int, into target: UnsafeMutableRawBufferPointer) throws {
        let start = TileStore.Entry.headBytes + part.offset
        guard pread(files[number], target.baseAddress!, part.length, off_t(start)) == part.length else {
            throw damaged(number)
        }
    }

    private func damaged(_ number: Int) -> EngineError {
        EngineError(
            "blob \(results[number].entry.path) is damaged; remove it and run the job again, "
                + "it repeats what is missing"
        )
    }

    private static func allowOpenFiles(_ count: Int) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
            limit.rlim_cur < rlim_t(count)
        else {
            return
        }
        limit.rlim_cur = min(rlim_t(count), limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
