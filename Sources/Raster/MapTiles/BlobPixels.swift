import Foundation
import Mosaic

/// A mosaic that is being made, read from the blobs of its tasks; tasks without one have no values yet.
/// Levels beyond those that a blob holds are picked from the remnants. One thread at a time.
public final class BlobPixels: MosaicPixels {
    /// Where a blob lies.
    public struct Place: Sendable {
        public let path: String
        /// Bytes before the blob.
        public let offset: Int
        public let length: Int

        /// A blob of `length` bytes at `offset` of a file.
        public init(path: String, offset: Int, length: Int) {
            (self.path, self.offset, self.length) = (path, offset, length)
        }
    }

    public let grid: Grid
    public let deepestLevel: Int
    private let plan: MosaicPlan
    private let index: Int
    private let locate: (Int) -> Place?
    private let levelCount: Int
    private let cells: [Int: Int]
    private let cellColumns: Int
    private let coder = FloatBlockCoder()
    private let block = UnsafeMutablePointer<Float>.allocate(
        capacity: FloatBlockCoder.side * FloatBlockCoder.side)
    private let bytes = ByteSink()

    /// - Parameters:
    ///   - index: the place of the mosaic's index in the plan.
    ///   - locate: finds a task's blob; nil while there is none.
    public init(plan: MosaicPlan, index: Int, locate: @escaping (Int) -> Place?) {
        (self.plan, self.index, self.locate) = (plan, index, locate)
        grid = plan.grid
        levelCount = Blob.levelCount(taskEdge: plan.taskEdge)
        let edge = plan.taskEdge
        let columns = (plan.grid.columns + edge - 1) / edge
        cellColumns = columns
        cells = Dictionary(
            uniqueKeysWithValues: plan.tasks.map {
                ($0.window.y / edge * columns + $0.window.x / edge, $0.number)
            })
        var deepest = levelCount
        while max(grid.columns, grid.rows) >> deepest > 512 { deepest += 1 }
        deepestLevel = deepest
    }

    deinit { block.deallocate() }

    /// Fills `target` with a window of a level; what has no value is NaN.
    public func read(_ window: PixelWindow, level: Int, into target: UnsafeMutablePointer<Float>) throws {
        target.update(repeating: .nan, count: window.count)
        let edge = plan.taskEdge >> level
        guard edge >= 1, !window.isEmpty else { return }
        for row in window.y / edge...(window.endY - 1) / edge {
            for column in window.x / edge...(window.endX - 1) / edge {
                guard column < cellColumns, let task = cells[row * cellColumns + column],
                    let place = locate(task)
                else { continue }
                let origin = (x: column * edge, y: row * edge)
                try read(place, origin, window, level, into: target)
            }
        }
    }

    private func read(
        _ place: Place, _ origin: (x: Int, y: Int), _ window: PixelWindow, _ level: Int,
        into target: UnsafeMutablePointer<Float>
    ) throws {
        let file = open(place.path, O_RDONLY | O_CLOEXEC)
        // The store may have dropped it: then it is made again, or the mosaic is finished.
        guard file >= 0 else { return }
        defer { close(file) }
        let blob = try directory(file, place)
        guard blob.layers.indices.contains(index) else { return }
        let layer = blob.layers[index]
        guard level < levelCount else {
            return try readRemnant(file, place, blob, layer, origin, window, level, into: target)
        }
        let size = Blob.level(level, columns: blob.columns, rows: blob.rows)
        let side = FloatBlockCoder.side
        for (number, part) in layer.levels[level].enumerated() where part.length > 0 {
            let x = number % size.blocksAcross * side
            let y = number / size.blocksAcross * side
            let own = PixelWindow(
                x: origin.x + x, y: origin.y + y, width: min(side, size.columns - x),
                height: min(side, size.rows - y))
            let common = own.intersection(window)
            guard !common.isEmpty else { continue }
            try load(part, file, place)
            try coder.decode(bytes.bytes, into: block)
            for line in common.y..<common.endY {
                (target + (line - window.y) * window.width + common.x - window.x).update(
                    from: block + (line - own.y) * side + common.x - own.x, count: common.width)
            }
        }
    }

    private func readRemnant(
        _ file: Int32, _ place: Place, _ blob: Blob, _ layer: Blob.Layer, _ origin: (x: Int, y: Int),
        _ window: PixelWindow, _ level: Int, into target: UnsafeMutablePointer<Float>
    ) throws {
        let size = Blob.level(levelCount, columns: blob.columns, rows: blob.rows)
        guard layer.remnant.length == size.columns * size.rows * 4 else { return }
        try load(layer.remnant, file, place)
        let shift = level - levelCount
        let own = PixelWindow(
            x: origin.x, y: origin.y, width: (size.columns + (1 << shift) - 1) >> shift,
            height: (size.rows + (1 << shift) - 1) >> shift)
        let common = own.intersection(window)
        guard !common.isEmpty else { return }
        let pixels = bytes.bytes.assumingMemoryBound(to: Float.self)
        for line in common.y..<common.endY {
            let row = min(size.rows - 1, (line - own.y) << shift)
            for column in common.x..<common.endX {
                let from = min(size.columns - 1, (column - own.x) << shift)
                target[(line - window.y) * window.width + column - window.x] =
                    pixels[row * size.columns + from]
            }
        }
    }

    private func directory(_ file: Int32, _ place: Place) throws -> Blob {
        let most = Blob.directoryBytes(
            indices: plan.indices.count, columns: plan.taskEdge, rows: plan.taskEdge,
            taskEdge: plan.taskEdge, provenance: plan.rules.provenance)
        try load(Blob.Part(offset: 0, length: min(most, place.length)), file, place)
        return try Blob(parsing: bytes.bytes, byteCount: place.length)
    }

    private func load(_ part: Blob.Part, _ file: Int32, _ place: Place) throws {
        try bytes.fill(part.length) { target in
            guard
                pread(file, target.baseAddress, part.length, off_t(place.offset + part.offset)) == part.length
            else {
                throw RasterError("blob \(place.path) is damaged; it will be made again when it is missed")
            }
        }
    }
}
