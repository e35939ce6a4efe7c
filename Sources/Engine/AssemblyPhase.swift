import Foundation
import Mosaic
import Raster
import Synchronization
import TileStore

/// The second phase of a job: blobs become COGs and PNGs. Blocks are copied as they are; PNG strips are
/// compressed by all threads and written in order.
final class AssemblyPhase: Sendable {
    /// An index's files and what they hold.
    struct Product: Sendable {
        let index: SpectralIndex
        let counts: ReasonCounts
        let statistics: PixelStatistics
        let cog: WrittenFile
        let png: WrittenFile?
    }

    private let job: JobPlan
    private let stop: @Sendable () -> Bool
    private let written = Atomic<Int>(0)
    private let expected: Int

    init(job: JobPlan, results: [TaskResult], stop: @escaping @Sendable () -> Bool) {
        self.job = job
        self.stop = stop
        expected = Self.expectedBytes(job, results)
    }

    /// Output bytes written so far, and about how many there will be.
    var progress: (written: Int, expected: Int) { (written.load(ordering: .relaxed), expected) }

    /// Bytes that the outputs take at most: the blocks and, uncompressed, the palette planes.
    private static func expectedBytes(_ job: JobPlan, _ results: [TaskResult]) -> Int {
        results.reduce(0) { total, result in
            result.blob.layers.reduce(total) { sum, layer in
                let blocks = layer.levels.joined().reduce(0) { $0 + $1.length }
                return sum + blocks + (job.request.png ? layer.palette.reduce(0) { $0 + $1.length } : 0)
            }
        }
    }

    /// Writes all products into `folder`, unpublished.
    ///
    /// - Throws: a sentence when the disk is full or a blob is gone; `JobCancelled`.
    func run(_ blobs: TaskBlobs, into folder: OutputFolder, threads: Int) throws -> [Product] {
        guard folder.freeBytes > expected + (1 << 20) else {
            throw EngineError(
                "the outputs need about \(expected / 1_000_000) MB and \(folder.path) has "
                    + "\(folder.freeBytes / 1_000_000) MB free; free some space, or choose another "
                    + "folder with --out"
            )
        }
        var drafts: [Draft] = []
        for (number, index) in job.plan.indices.enumerated() {
            let cog = try folder.stream("\(index.name).tif")
            let png = try job.request.png ? folder.stream("\(index.name).png") : nil
            let strips = try png.map { png in
                try StripWriter(
                    blobs: blobs, index: number, file: png.writer, palette: index.colormap.palette,
                    progress: { [self] in try advance($0) })
            }
            drafts.append(
                Draft(
                    index: index, totals: blobs.totals(of: number), cog: cog, png: png,
                    spool: try SpoolFile(in: folder.path), strips: strips))
        }
        let all = drafts
        let cogs = Mutex<[Int: WrittenFile]>([:])
        let next = Atomic<Int>(0)
        // A COG is one thread's work, so all of them come first; whoever finds none left makes strips.
        try Workers.run(max(1, threads)) { [self] _ in
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < all.count else { break }
                let sealed = try writeCog(number, all[number], blobs)
                cogs.withLock { $0[number] = sealed }
            }
            for draft in all { try draft.strips?.work() }
        }
        return try drafts.enumerated().map { number, draft in
            guard let cog = cogs.withLock({ $0[number] }) else {
                preconditionFailure("\(draft.index.name) has no COG")
            }
            return Product(
                index: draft.index, counts: draft.totals.counts, statistics: draft.totals.statistics,
                cog: cog,
                png: try draft.png.map { try $0.seal() })
        }
    }

    /// An index's files while they are written.
    private struct Draft: Sendable {
        let index: SpectralIndex
        let totals: (counts: ReasonCounts, statistics: PixelStatistics)
        let cog: HashedOutput
        let png: HashedOutput?
        let spool: SpoolFile
        let strips: StripWriter?
    }

    private func advance(_ bytes: Int) throws {
        if stop() { throw JobCancelled() }
        written.add(bytes, ordering: .relaxed)
    }

    private func writeCog(
        _ number: Int, _ draft: Draft, _ blobs: TaskBlobs
    ) throws -> WrittenFile {
        let (plan, index) = (job.plan, draft.index)
        let layout = CogLayout(columns: plan.grid.columns, rows: plan.grid.rows)
        let top = TopLevels(layout: layout, firstLevel: blobs.levelCount, spool: draft.spool) {
            column, row, target in
            try blobs.remnant(index: number, column: column, row: row, into: target).map {
                ($0.columns, $0.rows)
            }
        }
        try top.make()
        let image = CogImage(
            grid: plan.grid, bandName: index.name, items: ProductMetadata.items(plan, index),
            statistics: draft.totals.statistics)
        try CogWriter.write(image, to: draft.cog.writer) { level, row, column in
            level < blobs.levelCount
                ? blobs.place(index: number, level: level, row: row, column: column)
                : top.places[TopLevels.Place(level: level, row: row, column: column)]
        } progress: { [self] bytes in
            try advance(bytes)
        }
        return try draft.cog.seal()
    }
}
