import Foundation
import Mosaic

/// A task's result as bytes: for each index the compressed COG blocks of all levels that the task holds
/// whole, its palette and reason planes, statistics of each block, and the remnant from which the coordinator
/// makes the levels above (ARCHITECTURE.md, Decisions). A pure function of the task's description.
///
/// Layout, little endian: magic, sizes, one directory for each index, then the parts that directories point
/// at, each in the order of the directory. All offsets count from the blob's first byte.
public struct Blob: Hashable, Sendable {
    /// A run of bytes inside the blob; empty when what it would hold is left out.
    public struct Part: Hashable, Sendable {
        public var offset: Int
        public var length: Int

        public static let none = Part(offset: 0, length: 0)
    }

    /// A plane of one block (rows × columns as the block): compressed, or one value everywhere.
    public enum Plane: Hashable, Sendable {
        case constant(UInt16)
        case compressed(Part)
    }

    /// The part of a blob about one index.
    public struct Layer: Hashable, Sendable {
        /// `levels[n]` holds the framed blocks of overview n (0 is full resolution), row by row; `none` where
        /// a block has no valid pixel.
        public var levels: [[Part]] = []
        /// For each row of blocks its palette indices, rows × task width bytes as they are; `none` where all
        /// are 0.
        public var palette: [Part] = []
        /// Reason of each pixel, one plane a block.
        public var reasons: [Plane] = []
        /// Scene number of each pixel, one plane a block; empty unless the job asked for provenance.
        public var scenes: [Plane] = []
        /// Of each block.
        public var statistics: [PixelStatistics] = []
        /// Over the whole task.
        public var counts = ReasonCounts()
        /// Float32 pixels of the first level that the task does not hold whole, row by row; `none` where all
        /// are NaN.
        public var remnant = Part.none
    }

    /// Size of the task in pixels.
    public var columns: Int
    public var rows: Int
    /// Side of a full task: 512 · 2ⁿ; the blob holds levels 0 to n.
    public var taskEdge: Int
    public var layers: [Layer]

    static let magic = Array("ARBLOB1\n".utf8)

    /// Levels that a task of this edge holds whole, full resolution included.
    public static func levelCount(taskEdge: Int) -> Int {
        var (edge, count) = (taskEdge, 1)
        while edge > MosaicPlan.blockEdge { (edge, count) = (edge / 2, count + 1) }
        return count
    }

    /// Columns and rows of a level, and its blocks.
    public static func level(_ number: Int, columns: Int, rows: Int) -> CogLayout.Level {
        var (width, height) = (columns, rows)
        for _ in 0..<number { (width, height) = ((width + 1) / 2, (height + 1) / 2) }
        return CogLayout.Level(columns: width, rows: height)
    }
}

extension Blob {
    /// Whether the blob has the shape of a task's result.
    public func fits(_ task: MosaicTask, of plan: MosaicPlan) -> Bool {
        columns == task.window.width && rows == task.window.height && taskEdge == plan.taskEdge
            && layers.count == plan.indices.count
            && layers.allSatisfy { $0.scenes.isEmpty != plan.rules.provenance }
    }

    /// Bytes that header and directories take; known before the parts are.
    static func directoryBytes(indices: Int, columns: Int, rows: Int, taskEdge: Int, provenance: Bool) -> Int
    {
        let blocks = level(0, columns: columns, rows: rows)
        var layer = ReasonCounts().counts.count * 8 + 12
        for number in 0..<levelCount(taskEdge: taskEdge) {
            layer += level(number, columns: columns, rows: rows).blockCount * 12
        }
        layer += blocks.blocksDown * 12 + blocks.blockCount * (16 + 32 + (provenance ? 16 : 0))
        return magic.count + 5 * 4 + indices * layer
    }

    /// Header and directories as bytes.
    var directory: [UInt8] {
        var out = Self.magic
        let provenance = layers.contains { !$0.scenes.isEmpty }
        for value in [layers.count, columns, rows, taskEdge, provenance ? 1 : 0] { out.append(UInt32(value)) }
        for layer in layers {
            for count in layer.counts.counts { out.append(UInt64(count)) }
            out.append(layer.remnant)
            for level in layer.levels { for part in level { out.append(part) } }
            for part in layer.palette { out.append(part) }
            for plane in layer.reasons { out.append(plane) }
            for plane in layer.scenes { out.append(plane) }
            for block in layer.statistics {
                out.append(UInt64(block.count))
                out.append(block.minimum.bitPattern)
                out.append(block.maximum.bitPattern)
                out.append(block.sum.bitPattern)
                out.append(block.sumOfSquares.bitPattern)
            }
        }
        return out
    }

    /// Reads header and directories.
    ///
    /// - Parameters:
    ///   - bytes: the blob's beginning; `directoryBytes` of it are enough.
    ///   - byteCount: the blob's length; every part must lie inside it.
    /// - Throws: `RasterError` when the bytes are no blob or point outside it.
    public init(parsing bytes: UnsafeRawBufferPointer, byteCount: Int) throws {
        var reader = LittleEndianReader(bytes, limit: byteCount)
        guard try reader.bytes(Self.magic.count) == Self.magic else {
            throw RasterError("a blob has no blob's magic")
        }
        let indices = Int(try reader.uint32())
        columns = Int(try reader.uint32())
        rows = Int(try reader.uint32())
        taskEdge = Int(try reader.uint32())
        let provenance = try reader.uint32() != 0
        guard (1...SpectralIndex.maximumCount).contains(indices), (512...65_536).contains(taskEdge),
            taskEdge.nonzeroBitCount == 1, (1...taskEdge).contains(columns), (1...taskEdge).contains(rows)
        else { throw RasterError("a blob has impossible sizes: \(columns) × \(rows), \(indices) indices") }
        layers = []
        let blocks = Self.level(0, columns: columns, rows: rows)
        for _ in 0..<indices {
            var layer = Layer()
            layer.counts = try reader.counts(of: columns * rows)
            layer.remnant = try reader.part()
            for number in 0..<Self.levelCount(taskEdge: taskEdge) {
                let level = Self.level(number, columns: columns, rows: rows)
                layer.levels.append(try (0..<level.blockCount).map { _ in try reader.part() })
            }
            layer.palette = try (0..<blocks.blocksDown).map { _ in try reader.part() }
            layer.reasons = try (0..<blocks.blockCount).map { _ in try reader.plane() }
            if provenance { layer.scenes = try (0..<blocks.blockCount).map { _ in try reader.plane() } }
            layer.statistics = try (0..<blocks.blockCount).map { _ in
                try reader.statistics(of: columns * rows)
            }
            layers.append(layer)
        }
    }
}

/// Takes values off the front of bytes that may be damaged; every failure is an error, never a read outside.
private struct LittleEndianReader {
    private let source: UnsafeRawBufferPointer
    private let limit: Int
    private var place = 0

    init(_ source: UnsafeRawBufferPointer, limit: Int) {
        self.source = source
        self.limit = limit
    }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        guard place + count <= source.count else { throw RasterError("a blob ends inside its directory") }
        defer { place += count }
        return [UInt8](source[place..<place + count])
    }

    mutating func uint32() throws -> UInt32 {
        guard place + 4 <= source.count else { throw RasterError("a blob ends inside its directory") }
        defer { place += 4 }
        return UInt32(littleEndian: source.loadUnaligned(fromByteOffset: place, as: UInt32.self))
    }

    mutating func uint64() throws -> UInt64 {
        guard place + 8 <= source.count else { throw RasterError("a blob ends inside its directory") }
        defer { place += 8 }
        return UInt64(littleEndian: source.loadUnaligned(fromByteOffset: place, as: UInt64.self))
    }

    mutating func part() throws -> Blob.Part {
        let offset = try uint64()
        let length = Int(try uint32())
        guard offset <= UInt64(limit), length <= limit - Int(offset) else {
            throw RasterError("a blob's directory points outside the blob")
        }
        return Blob.Part(offset: Int(offset), length: length)
    }

    mutating func plane() throws -> Blob.Plane {
        let part = try part()
        let constant = try uint32()
        return part.length > 0 ? .compressed(part) : .constant(UInt16(truncatingIfNeeded: constant))
    }

    /// Counts that sum to `pixels`.
    mutating func counts(of pixels: Int) throws -> ReasonCounts {
        var counts = ReasonCounts()
        for reason in Reason.allCases { counts[reason] = try count(atMost: pixels - counts.total) }
        guard counts.total == pixels else {
            throw RasterError("a blob counts \(counts.total) pixels and has \(pixels)")
        }
        return counts
    }

    mutating func statistics(of pixels: Int) throws -> PixelStatistics {
        PixelStatistics(
            count: try count(atMost: pixels), minimum: Float(bitPattern: try uint32()),
            maximum: Float(bitPattern: try uint32()), sum: Double(bitPattern: try uint64()),
            sumOfSquares: Double(bitPattern: try uint64()))
    }

    private mutating func count(atMost limit: Int) throws -> Int {
        let count = try uint64()
        guard count <= UInt64(limit) else { throw RasterError("a blob counts more pixels than it has") }
        return Int(count)
    }
}

extension [UInt8] {
    fileprivate mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    fileprivate mutating func append(_ part: Blob.Part) {
        append(UInt64(part.offset))
        append(UInt32(part.length))
    }

    fileprivate mutating func append(_ plane: Blob.Plane) {
        switch plane {
        case .constant(let value):
            append(Blob.Part.none)
            append(UInt32(value))
        case .compressed(let part):
            append(part)
            append(UInt32(0))
        }
    }
}
