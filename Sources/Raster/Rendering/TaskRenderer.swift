import CKernels
import Mosaic

/// What a rendered task came to.
public struct RenderedTask: Sendable {
    /// The blob's bytes; valid until the renderer's next task.
    public let blob: ByteSink
    /// Of each index of the plan.
    public let counts: [ReasonCounts]
    /// Sentences about sources that could not be read, each once; the blob then has pixels marked
    /// `readFailed`.
    public let failures: [String]
}

/// Renders tasks to blobs: pixels of a block at a time, then its compressed form, then what the levels above
/// need. One worker's; one thread at a time.
public final class TaskRenderer {
    private let plan: MosaicPlan
    private let blocks: BlockRenderer
    private let coder = FloatBlockCoder()
    private let planeCoder = PlaneCoder()
    private let sink = ByteSink(capacity: 1 << 24)

    /// - Throws: `RasterError` when the plan's clip cannot be read.
    public init(plan: MosaicPlan, cache: BlockCache) throws {
        self.plan = plan
        blocks = try BlockRenderer(plan: plan, cache: cache)
    }

    /// Compressed bytes that this worker has read from sources.
    public var bytesRead: Int { blocks.reader.bytesRead }

    /// Renders a task of the plan.
    ///
    /// - Parameter isCancelled: asked before each block.
    /// - Returns: nil when it was cancelled.
    public func render(_ task: MosaicTask, isCancelled: () -> Bool = { false }) -> RenderedTask? {
        let parts = Self.parts(of: task.window).map { $0.offset(x: task.window.x, y: task.window.y) }
        blocks.decodeAhead(parts, scenes: task.scenes, isCancelled: isCancelled)
        return build(task) { isCancelled() ? nil : render($0, task.scenes) }
    }

    /// The blob of a task that nobody could make: no value anywhere, every pixel `readFailed`.
    ///
    /// - Parameter reason: the sentence that becomes its only failure.
    public func renderGivenUp(_ task: MosaicTask, reason: String) -> RenderedTask {
        let rendered = build(task) { window in
            let planes = plan.indices.map { _ in
                FinishedPlane(
                    unreadable: window.count, provenance: plan.rules.provenance, from: blocks.pool)
            }
            return BlockPicture(planes: planes, failures: [reason])
        }
        guard let rendered else { preconditionFailure("\(task) was not given up") }
        return rendered
    }

    /// - Parameter picture: makes a block of the job grid; nil cancels the task.
    private func build(_ task: MosaicTask, _ picture: (PixelWindow) -> BlockPicture?) -> RenderedTask? {
        let window = task.window
        sink.truncate()
        let reserved = Blob.directoryBytes(
            indices: plan.indices.count, columns: window.width, rows: window.height, taskEdge: plan.taskEdge,
            provenance: plan.rules.provenance)
        _ = sink.reserve(reserved)
        sink.advance(by: reserved)
        let layers = plan.indices.map {
            LayerBuilder(
                index: $0, columns: window.width, rows: window.height, taskEdge: plan.taskEdge,
                memory: blocks.pool)
        }
        var failures: [String] = []
        for part in Self.parts(of: window) {
            guard let picture = picture(part.offset(x: window.x, y: window.y)) else { return nil }
            defer { picture.giveBack() }
            for failure in picture.failures where !failures.contains(failure) { failures.append(failure) }
            for index in layers.indices {
                layers[index].add(picture.planes[index], at: part, coder, planeCoder, to: sink)
            }
            guard part.endX == window.width else { continue }
            for layer in layers { layer.closeRow(height: part.height, to: sink) }
        }
        for layer in layers { layer.finish(coder, to: sink) }
        let blob = Blob(
            columns: window.width, rows: window.height, taskEdge: plan.taskEdge, layers: layers.map(\.layer))
        let directory = blob.directory
        precondition(
            directory.count == reserved, "directory of \(directory.count) bytes, \(reserved) reserved")
        sink.patch(directory, at: 0)
        return RenderedTask(blob: sink, counts: blob.layers.map(\.counts), failures: failures)
    }

    /// The blocks of a task's window, row by row, as parts of it.
    private static func parts(of window: PixelWindow) -> [PixelWindow] {
        let edge = MosaicPlan.blockEdge
        return stride(from: 0, to: window.height, by: edge).flatMap { y in
            stride(from: 0, to: window.width, by: edge).map { x in
                PixelWindow(
                    x: x, y: y, width: min(edge, window.width - x), height: min(edge, window.height - y))
            }
        }
    }

    /// A block's planes; for many scenes under `median`, made in strips of rows so that memory stays bounded.
    private func render(_ window: PixelWindow, _ scenes: [Int]) -> BlockPicture {
        let most = 16 * MosaicPlan.blockEdge
        let rows =
            plan.rules.select.composite == .median && scenes.count > 16
            ? max(1, most / scenes.count) : window.height
        guard rows < window.height else { return blocks.render(window, scenes: scenes) }
        return BlockPicture(
            joining: stride(from: 0, to: window.height, by: rows).map { first in
                let height = min(rows, window.height - first)
                let strip = PixelWindow(x: window.x, y: window.y + first, width: window.width, height: height)
                return (blocks.render(strip, scenes: scenes), strip.count)
            })
    }
}
