import Mosaic

/// What a task will cost, for sharing work out: a prediction, never part of a key.
public struct TaskEstimate: Hashable, Sendable {
    /// Compressed source bytes under the task; 0 where nobody tells the files' sizes.
    public var inputBytes: Int
    /// Bytes of its blob.
    public var resultBytes: Int
    /// Bytes of memory while it runs.
    public var memory: Int
    /// Work in seconds of one core, about.
    public var cost: Double

    /// Seconds of one core for a byte of decoded samples and for a pixel of an output (PLATFORM.md,
    /// "Pixels"; the output's figure is measured with `scripts/bench raster`).
    private enum Cost {
        static let deflate = 1.7e-9
        static let jpeg2000 = 25e-9
        static let outputPixel = 25e-9
        /// Opening files and the store.
        static let task = 5e-3
    }

    /// One for each task of the job, in task order.
    public static func all(of job: JobPlan) -> [TaskEstimate] {
        let plan = job.plan
        let memory = MemoryNeed(plan, png: job.request.png).worker
        let scenes = plan.scenes.map { sceneCost($0, plan) }
        return plan.tasks.map { task in
            let area = plan.grid.bounds(of: task.window)
            let whole = (area.right - area.left) * (area.top - area.bottom)
            var (input, cost) = (0.0, Cost.task)
            for number in task.scenes {
                let extent = plan.extents[number]
                let common = commonArea(extent, area)
                let share = common / ((extent.right - extent.left) * (extent.top - extent.bottom))
                input += share * scenes[number].bytes
                cost += share * scenes[number].seconds
                // Under `first`, a scene that fills the task mostly spares those below it.
                if plan.rules.select.composite == .first, common > 0.999 * whole { break }
            }
            let pixels = Double(task.window.count * plan.indices.count)
            return TaskEstimate(
                inputBytes: Int(input), resultBytes: Int(pixels * 5), memory: memory,
                cost: cost + pixels * Cost.outputPixel)
        }
    }

    /// Bytes of a scene's files that the job reads, and seconds to decode them.
    private static func sceneCost(_ scene: Scene, _ plan: MosaicPlan) -> (bytes: Double, seconds: Double) {
        var bands = plan.usedBands.compactMap { scene.bands[$0] }
        if plan.rules.mask != .none, let mask = scene.classification { bands.append(mask) }
        return bands.reduce((0, 0)) { sum, band in
            let samples = Double(band.grid.columns) * Double(band.grid.rows) * Double(band.sample.bytes)
            let isJpeg = band.file.address.lowercased().hasSuffix(".jp2")
            return (
                sum.0 + (band.file.size.map { min(Double(max(0, $0)), samples) } ?? samples),
                sum.1 + samples * (isJpeg ? Cost.jpeg2000 : Cost.deflate)
            )
        }
    }

    private static func commonArea(_ a: Bounds, _ b: Bounds) -> Double {
        let width = min(a.right, b.right) - max(a.left, b.left)
        let height = min(a.top, b.top) - max(a.bottom, b.bottom)
        return width > 0 && height > 0 ? width * height : 0
    }
}
