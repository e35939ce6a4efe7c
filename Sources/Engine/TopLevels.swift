import Foundation
import Mosaic
import Raster

/// The overview levels that no task holds whole, made from the tasks' remnants: the only float pixels that
/// the assembler sees (ARCHITECTURE.md, Decisions).
///
/// Works depth first from the smallest overview down, so that a block of each level is in memory at a time,
/// whatever the size of the mosaic. Compressed blocks go to a spool file in the order in which they are made.
final class TopLevels {
    private let layout: CogLayout
    private let firstLevel: Int
    private let remnant:
        (_ column: Int, _ row: Int, _ into: UnsafeMutablePointer<Float>) throws -> (Int, Int)?
    private let spool: SpoolFile
    private let coder = FloatBlockCoder()
    private let sink = ByteSink(capacity: 1 << 21)
    private(set) var places: [Place: BlockPlace] = [:]

    /// A block of a level.
    struct Place: Hashable {
        let level: Int
        let row: Int
        let column: Int
    }

    private static let edge = MosaicPlan.blockEdge

    /// - Parameters:
    ///   - firstLevel: the first level that no task holds whole.
    /// - remnant: fills the pixels of a task's remnant, at most 256 × 256 and row by row without gaps, and
    ///   returns their columns and rows; nil when all are NaN.
    init(
        layout: CogLayout, firstLevel: Int, spool: SpoolFile,
        remnant:
            @escaping (_ column: Int, _ row: Int, _ into: UnsafeMutablePointer<Float>) throws -> (Int, Int)?
    ) {
        self.layout = layout
        self.firstLevel = firstLevel
        self.spool = spool
        self.remnant = remnant
    }

    /// Makes all blocks of the levels from `firstLevel` on.
    func make() throws {
        guard layout.levels.count > firstLevel else { return }
        _ = try block(level: layout.levels.count - 1, row: 0, column: 0)
    }

    /// Encodes one block, made of four of the level below, and returns it halved for the level above; nil:
    /// all NaN.
    private func block(level: Int, row: Int, column: Int) throws -> (
        pixels: [Float], columns: Int, rows: Int
    )? {
        let edge = Self.edge
        let size = layout.levels[level]
        let columns = min(edge, size.columns - column * edge)
        let rows = min(edge, size.rows - row * edge)
        guard columns > 0, rows > 0 else { return nil }
        var pixels = [Float](repeating: .nan, count: columns * rows)
        var any = false
        for quarter in 0..<4 {
            let (down, across) = (quarter / 2, quarter % 2)
            let part: (pixels: [Float], columns: Int, rows: Int)?
            if level == firstLevel {
                part = try readRemnant(row * 2 + down, column * 2 + across)
            } else {
                part = try block(level: level - 1, row: row * 2 + down, column: column * 2 + across)
            }
            guard let part else { continue }
            any = true
            for line in 0..<part.rows {
                let target = (down * edge / 2 + line) * columns + across * edge / 2
                pixels.replaceSubrange(
                    target..<target + part.columns,
                    with: part.pixels[line * part.columns..<(line + 1) * part.columns])
            }
        }
        guard any else { return nil }
        sink.truncate()
        if let length = coder.encode(pixels, stride: columns, columns: columns, rows: rows, into: sink) {
            places[Place(level: level, row: row, column: column)] = try spool.append(
                sink.bytes.prefix(length))
        }
        return Overview.halved(pixels, columns: columns, rows: rows)
    }

    private func readRemnant(_ row: Int, _ column: Int) throws -> (pixels: [Float], columns: Int, rows: Int)?
    {
        var size: (Int, Int)?
        let pixels = try [Float](unsafeUninitializedCapacity: Self.edge * Self.edge / 4) { buffer, count in
            size = try remnant(column, row, buffer.baseAddress!)
            count = size.map { $0.0 * $0.1 } ?? 0
        }
        return size.map { (pixels, $0.0, $0.1) }
    }
}

/// A nameless temporary file that is only appended to and read back by position.
/// One thread at a time; that contract is what `@unchecked` stands for.
final class SpoolFile: @unchecked Sendable {
    let descriptor: Int32
    private var length = 0

    /// - Parameter folder: on a disk with room.
    /// - Throws: `EngineError` when it cannot be made.
    init(in folder: String) throws {
        var template = Array("\(folder)/.arbutus-spool-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else {
            throw EngineError(
                "cannot write in \(folder): \(String(cString: strerror(errno))); choose another folder")
        }
        unlink(template)
    }

    deinit { close(descriptor) }

    func append(_ bytes: Slice<UnsafeRawBufferPointer>) throws -> BlockPlace {
        let place = BlockPlace(fileDescriptor: descriptor, offset: length, length: bytes.count)
        try OutputFile(descriptor: descriptor, path: "the overviews' temporary file").write(
            UnsafeRawBufferPointer(rebasing: bytes), at: length)
        length += bytes.count
        return place
    }
}
