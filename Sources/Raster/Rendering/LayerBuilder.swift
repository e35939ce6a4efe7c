import CKernels
import Mosaic

/// One index of a task on its way into the blob: takes finished blocks row by row and keeps only what the
/// levels above need.
final class LayerBuilder {
    private(set) var layer = Blob.Layer()
    private let index: SpectralIndex
    private let columns: Int
    private let rows: Int
    private let levelCount: Int
    /// The level above full resolution, while it is filled.
    private var above: Plane
    /// Palette indices of the row of blocks at hand.
    private let palette: UnsafeMutablePointer<UInt8>
    private var paletteIsEmpty = true
    private let memory: BufferPool

    /// Float32 pixels, row by row.
    private final class Plane {
        let columns: Int
        let rows: Int
        let pixels: UnsafeMutablePointer<Float>
        private let memory: BufferPool

        init(columns: Int, rows: Int, memory: BufferPool) {
            (self.columns, self.rows, self.memory) = (columns, rows, memory)
            pixels = memory.plane(count: columns * rows)
            pixels.initialize(repeating: .nan, count: columns * rows)
        }

        deinit { memory.give(pixels, count: columns * rows) }
    }

    init(index: SpectralIndex, columns: Int, rows: Int, taskEdge: Int, memory: BufferPool) {
        self.memory = memory
        self.index = index
        (self.columns, self.rows) = (columns, rows)
        levelCount = Blob.levelCount(taskEdge: taskEdge)
        above = Plane(columns: (columns + 1) / 2, rows: (rows + 1) / 2, memory: memory)
        palette = memory.plane(count: columns * MosaicPlan.blockEdge)
        layer.levels = [[Blob.Part]](repeating: [], count: levelCount)
    }

    deinit { memory.give(palette, count: columns * MosaicPlan.blockEdge) }

    /// Takes the block at `part` of the task; blocks come row by row.
    func add(
        _ plane: FinishedPlane, at part: PixelWindow, _ coder: FloatBlockCoder, _ planes: PlaneCoder,
        to sink: ByteSink
    ) {
        let (width, height) = (part.width, part.height)
        layer.levels[0].append(Self.encode(plane.values, stride: width, width, height, coder, to: sink))
        layer.statistics.append(PixelStatistics(plane.values, stride: width, columns: width, rows: height))
        layer.reasons.append(planes.encode(plane.reasons, count: part.count, to: sink))
        if let scenes = plane.scenes {
            layer.scenes.append(planes.encode(scenes, count: part.count, to: sink))
        }
        planes.count(plane.reasons, count: part.count, into: &layer.counts)
        if layer.statistics[layer.statistics.count - 1].count > 0 { paletteIsEmpty = false }
        arb_quantise(
            plane.values, width, width, height, Float(index.range.low), Float(index.range.high),
            palette + part.x,
            columns)
        arb_overview(
            plane.values, width, width, height, above.pixels + part.y / 2 * above.columns + part.x / 2,
            above.columns)
    }

    /// The row of blocks is complete: `height` rows of pixels.
    func closeRow(height: Int, to sink: ByteSink) {
        if paletteIsEmpty {
            layer.palette.append(.none)
        } else {
            let bytes = UnsafeRawBufferPointer(start: palette, count: columns * height)
            layer.palette.append(Blob.Part(offset: sink.count, length: bytes.count))
            sink.append(bytes)
        }
        paletteIsEmpty = true
    }

    /// All blocks are in: makes the levels that the task holds whole, and the remnant.
    func finish(_ coder: FloatBlockCoder, to sink: ByteSink) {
        let edge = MosaicPlan.blockEdge
        for level in 1..<max(1, levelCount) {
            for y in stride(from: 0, to: above.rows, by: edge) {
                for x in stride(from: 0, to: above.columns, by: edge) {
                    let start = above.pixels + y * above.columns + x
                    let width = min(edge, above.columns - x)
                    let height = min(edge, above.rows - y)
                    layer.levels[level].append(
                        Self.encode(start, stride: above.columns, width, height, coder, to: sink))
                }
            }
            let next = Plane(
                columns: (above.columns + 1) / 2, rows: (above.rows + 1) / 2, memory: memory)
            arb_overview(above.pixels, above.columns, above.columns, above.rows, next.pixels, next.columns)
            above = next
        }
        guard arb_all_nan(above.pixels, above.columns, above.columns, above.rows) == 0 else { return }
        layer.remnant = Blob.Part(offset: sink.count, length: above.columns * above.rows * 4)
        sink.append(UnsafeRawBufferPointer(start: above.pixels, count: above.columns * above.rows * 4))
    }

    private static func encode(
        _ pixels: UnsafePointer<Float>, stride: Int, _ columns: Int, _ rows: Int, _ coder: FloatBlockCoder,
        to sink: ByteSink
    ) -> Blob.Part {
        let offset = sink.count
        guard let length = coder.encode(pixels, stride: stride, columns: columns, rows: rows, into: sink)
        else {
            return .none
        }
        return Blob.Part(offset: offset, length: length)
    }
}
