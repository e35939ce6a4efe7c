import Mosaic

/// What a plan will cost, from figures alone: nothing of a scene is read for it.
struct PlanEstimate: Codable, Equatable {
    /// Pixels of the tasks, each index counted once.
    var pixels: Int
    /// Bytes of scene files, at most: rules that stop at the first scene may read fewer. Files of unknown
    /// size are counted as if they were not compressed.
    var bytesToRead: Int
    /// The same samples when decoded.
    var bytesDecoded: Int
    /// Seconds with warm disks and with slow ones.
    var secondsLow: Double
    var secondsHigh: Double

    /// Bytes of decoded samples, or mosaic pixels, that one core handles in a second; measured (PLATFORM.md,
    /// "Pixels"). The first of each pair is a good day.
    private enum Rate {
        static let deflate = (590e6, 120e6)
        static let jpeg2000 = (60e6, 15e6)
        static let outputPixels = (60e6, 20e6)
    }

    /// - Parameter threads: workers, at least 1.
    init(_ plan: MosaicPlan, threads: Int) {
        pixels = plan.tasks.reduce(0) { $0 + $1.window.count }
        var (read, decoded) = (0.0, 0.0)
        var (low, high) = (0.0, 0.0)
        for (scene, extent) in zip(plan.scenes, plan.extents) {
            let share = Self.share(of: extent, inside: plan.grid.bounds)
            for band in Self.bands(of: scene, in: plan) {
                let whole = Double(band.grid.columns) * Double(band.grid.rows) * Double(band.sample.bytes)
                read += share * (band.file.size.map { min(Double($0), whole) } ?? whole)
                decoded += share * whole
                let rate = band.file.address.lowercased().hasSuffix(".jp2") ? Rate.jpeg2000 : Rate.deflate
                low += share * whole / rate.0
                high += share * whole / rate.1
            }
        }
        let outputs = Double(pixels) * Double(plan.indices.count)
        let workers = Double(max(1, min(threads, plan.tasks.count)))
        bytesToRead = Int(read)
        bytesDecoded = Int(decoded)
        secondsLow = (low + outputs / Rate.outputPixels.0) / workers
        secondsHigh = (high + outputs / Rate.outputPixels.1) / workers
    }

    /// The bands that a job reads of a scene, its classification among them when the job masks.
    static func bands(of scene: Scene, in plan: MosaicPlan) -> [Band] {
        let spectral = plan.usedBands.compactMap { scene.bands[$0] }
        guard plan.rules.mask != .none, let classification = scene.classification else { return spectral }
        return spectral + [classification]
    }

    /// The part of a scene's extent that lies in the mosaic, from 0 to 1.
    private static func share(of extent: Bounds, inside job: Bounds) -> Double {
        let width = min(extent.right, job.right) - max(extent.left, job.left)
        let height = min(extent.top, job.top) - max(extent.bottom, job.bottom)
        guard width > 0, height > 0, !extent.isEmpty else { return 0 }
        return width * height / ((extent.right - extent.left) * (extent.top - extent.bottom))
    }
}
