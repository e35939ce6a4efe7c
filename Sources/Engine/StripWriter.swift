import Foundation
import Mosaic
import Raster

/// Compresses a picture's strips on several threads and writes them in order; at most a few strips wait in
/// memory.
final class StripWriter: @unchecked Sendable {
    private let blobs: TaskBlobs
    private let index: Int
    private let progress: @Sendable (Int) throws -> Void
    private let condition = NSCondition()
    private let columns: Int
    private let rows: Int
    private let count: Int
    private var writer: PngWriter
    private var next = 0
    private var failed = false

    init(
        blobs: TaskBlobs, index: Int, file: OutputWriter, palette: Palette,
        progress: @escaping @Sendable (Int) throws -> Void
    ) throws {
        self.blobs = blobs
        self.index = index
        self.progress = progress
        columns = blobs.plan.grid.columns
        rows = blobs.plan.grid.rows
        writer = try PngWriter(to: file, columns: columns, rows: rows, palette: palette)
        count = writer.stripCount
    }

    /// Compresses strips until none is left; called by each thread. The one that writes the last strip ends
    /// the file.
    func work() throws {
        let encoder = PngStripEncoder()
        let plane = UnsafeMutablePointer<UInt8>.allocate(capacity: columns * PngStrip.rows)
        defer { plane.deallocate() }
        let scratch = ByteSink()
        let sink = ByteSink(capacity: 1 << 22)
        while let number = take() {
            do {
                try blobs.palette(index: index, row: number, into: plane, scratch: scratch)
                sink.truncate()
                let height = min(PngStrip.rows, rows - number * PngStrip.rows)
                let strip = try encoder.encode(
                    plane, stride: columns, columns: columns, rows: height, into: sink)
                try write(number, strip, sink)
            } catch {
                fail()
                throw error
            }
        }
    }

    private func take() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        guard !failed, next < count else { return nil }
        defer { next += 1 }
        return next
    }

    /// Waits for the strip's turn.
    private func write(_ number: Int, _ strip: PngStrip, _ sink: ByteSink) throws {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        while writer.nextStrip != number && !failed { condition.wait() }
        guard !failed else { return }
        try writer.append(strip, chunk: sink.bytes)
        try progress(sink.count)
        if number == count - 1 { try writer.finish() }
    }

    private func fail() {
        condition.lock()
        failed = true
        condition.broadcast()
        condition.unlock()
    }
}
