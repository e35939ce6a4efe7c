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
        let cog: OutputFolder.Written
        let png: OutputFolder.Written?
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
        var products: [Product] = []
        for (number, index) in job.plan.indices.enumerated() {
            let totals = blobs.totals(of: number)
            let cog = try folder.create("\(index.name).tif")
            defer { close(cog.descriptor) }
            let png = try job.request.png ? folder.create("\(index.name).png") : nil
            defer { if let png { close(png.descriptor) } }
            let spool = try SpoolFile(in: folder.path)
            let writtenCog = Mutex<OutputFolder.Written?>(nil)
            let strips = try png.map { file in
                try StripWriter(
                    blobs: blobs, index: number, file: file, palette: index.colormap.palette,
                    progress: { [self] in try advance($0) })
            }
            let takesCog = Atomic<Bool>(true)
            try Workers.run(max(1, threads)) { [self] _ in
                if takesCog.exchange(false, ordering: .relaxed) {
                    let sealed = try writeCog(number, index, totals.statistics, blobs, spool, cog)
                    writtenCog.withLock { $0 = sealed }
                }
                try strips?.work()
            }
            let sealed = try png.map { try OutputFolder.seal($0, name: "\(index.name).png") }
            guard let cogFacts = writtenCog.withLock({ $0 }) else {
                preconditionFailure("\(index.name) has no COG")
            }
            products.append(
                Product(
                    index: index, counts: totals.counts, statistics: totals.statistics, cog: cogFacts,
                    png: sealed))
        }
        return products
    }

    private func advance(_ bytes: Int) throws {
        if stop() { throw JobCancelled() }
        written.add(bytes, ordering: .relaxed)
    }

    private func writeCog(
        _ number: Int, _ index: SpectralIndex, _ statistics: PixelStatistics, _ blobs: TaskBlobs,
        _ spool: SpoolFile,
        _ file: OutputFile
    ) throws -> OutputFolder.Written {
        let plan = job.plan
        let layout = CogLayout(columns: plan.grid.columns, rows: plan.grid.rows)
        let top = TopLevels(layout: layout, firstLevel: blobs.levelCount, spool: spool) {
            column, row, target in
            try blobs.remnant(index: number, column: column, row: row, into: target).map {
                ($0.columns, $0.rows)
            }
        }
        try top.make()
        let image = CogImage(
            grid: plan.grid, bandName: index.name, items: ProductMetadata.items(plan, index),
            statistics: statistics)
        try CogWriter.write(image, to: file) { level, row, column in
            level < blobs.levelCount
                ? blobs.place(index: number, level: level, row: row, column: column)
                : top.places[TopLevels.Place(level: level, row: row, column: column)]
        } progress: { [self] bytes in
            try advance(bytes)
        }
        return try OutputFolder.seal(file, name: "\(index.name).tif")
    }
}
