import CKernels
import Mosaic

/// Renders windows of the job grid, at most a block in size, from a plan's scenes: one worker's eyes and
/// brush.
///
/// A pixel depends on its place in the job grid, on the window asked for where it is warped (in the last bit
/// of its coordinate) and on the plan. Windows are the blocks of the job grid, whatever the task or the
/// thread, so tasks of any size give the same bytes.
final class BlockRenderer {
    /// What a scene offers, ready to be sampled.
    private struct Prepared {
        let bands: [String: SampledBand]
        let radiometry: [String: Radiometry]
        let finest: Grid
    }

    let plan: MosaicPlan
    let reader: SourceReader
    /// Memory of planes, for one block after the other.
    let pool: BufferPool
    private let scratch = Scratch()
    private let sampler: BandSampler
    private let masks: [CloudMask?]
    private let clip: ClipMask?
    private var prepared: [Int: Prepared] = [:]

    init(plan: MosaicPlan, cache: BlockCache) throws {
        self.plan = plan
        pool = BufferPool(limit: plan.indices.count * Self.planeBytes(of: plan))
        reader = SourceReader(cache: cache, job: plan.grid)
        sampler = BandSampler(job: plan.grid, reader: reader, scratch: scratch)
        masks = plan.indices.map { CloudMask(plan.rules.mask, for: $0) }
        clip = try plan.rules.clip.map { try ClipMask(geoJSON: $0, grid: plan.grid) }
    }

    /// About what an index of a task holds at once: the level above it and the next, a row of blocks of
    /// palette indices, and a block's planes (`CompositePlane`).
    private static func planeBytes(of plan: MosaicPlan) -> Int {
        let (task, edge) = (plan.taskEdge, MosaicPlan.blockEdge)
        let pixel =
            switch plan.rules.select.composite {
            case .first, .min, .max: 7
            case .mean, .count: 17
            case .median: 9 + 4 * min(plan.scenes.count, 16)
            }
        return task * task * 5 / 4 + task * edge + pixel * edge * edge
    }

    /// Renders `window`; `scenes` are the plan's scenes that may touch it, in plan order.
    ///
    /// The caller gives the picture back.
    func render(_ window: PixelWindow, scenes: [Int]) -> BlockPicture {
        var planes = plan.indices.map { _ in
            CompositePlane(
                plan.rules.select.composite, count: window.count, provenance: plan.rules.provenance,
                from: pool)
        }
        var failures: [String] = []
        let kept: [UInt8]?
        do {
            kept = try clip?.plane(window)
        } catch {
            let everywhere = [UInt8](repeating: 1, count: window.count)
            for index in planes.indices { planes[index].fail(where: everywhere) }
            return BlockPicture(planes: planes.map { $0.finish() }, failures: ["\(error)"])
        }
        if kept?.contains(1) ?? true {
            let bounds = plan.grid.bounds(of: window)
            for (local, number) in scenes.enumerated() where plan.extents[number].intersects(bounds) {
                if planes.allSatisfy(\.isDone) { break }
                lay(number, local + 1, over: &planes, window, &failures)
            }
        }
        return BlockPicture(planes: planes.map { finish($0, kept) }, failures: failures)
    }

    /// Decodes what a task is sure to read, the bands of the uppermost scene of each of `windows`, where
    /// nobody is at it. Neighbours share source blocks: a thread that only read them in its own order would
    /// wait for the one before it at each block, and leave it nothing to do at the next.
    func decodeAhead(_ windows: [PixelWindow], scenes: [Int], isCancelled: () -> Bool) {
        guard clip == nil else { return }
        for window in windows {
            let bounds = plan.grid.bounds(of: window)
            guard let top = scenes.first(where: { plan.extents[$0].intersects(bounds) }) else { continue }
            do {
                let scene = try prepare(top)
                for name in plan.usedBands where !isCancelled() {
                    if let band = scene.bands[name] { try sampler.decodeAhead(band, window) }
                }
            } catch {
                // The window's own reading meets this again, marks its pixels and says why.
                continue
            }
        }
    }

    private func finish(_ composite: CompositePlane, _ kept: [UInt8]?) -> FinishedPlane {
        let plane = composite.finish()
        guard let kept else { return plane }
        for pixel in kept.indices where kept[pixel] == 0 {
            plane.values[pixel] = .nan
            plane.reasons[pixel] = Reason.outside.rawValue
            plane.scenes?[pixel] = 0
        }
        return plane
    }

    /// Lays one scene over the others. A scene that cannot be read leaves its pixels marked and says why.
    private func lay(
        _ number: Int, _ local: Int, over composites: inout [CompositePlane], _ window: PixelWindow,
        _ failures: inout [String]
    ) {
        let covered = scratch.octets(.plane(0), atLeast: window.count)
        covered.update(repeating: 1, count: window.count)
        do {
            let scene = try prepare(number)
            let inside = try sampler.coverage(of: scene.finest, window, into: covered)
            guard inside > 0 else { return }
            let open = composites.indices.filter { !composites[$0].isDone }
            var planes: [String: UnsafeMutablePointer<Float>] = [:]
            for (place, name) in Set(open.flatMap { plan.indices[$0].bands }).sorted().enumerated() {
                let plane = scratch.floats(.band(place), atLeast: window.count)
                try sampler.sample(scene.bands[name]!, window, plan.rules.resampling, into: plane)
                planes[name] = plane
            }
            let hidden = try hiddenPlanes(plan.scenes[number], window, for: open)
            let values = scratch.floats(.plane(1), atLeast: window.count)
            let reasons = scratch.octets(.plane(2), atLeast: window.count)
            for index in open {
                IndexKernel.compute(
                    plan.indices[index].formula, planes: planes, radiometry: scene.radiometry,
                    clamp: plan.rules.clamp, count: window.count, out: values, reason: reasons)
                if let hidden = hidden[index] { arb_hide(hidden, reasons, window.count) }
                if inside < window.count { arb_outside(covered, reasons, window.count) }
                composites[index].feed(values, reasons, scene: local)
            }
        } catch {
            failures.append("\(error)")
            for index in composites.indices { composites[index].fail(where: covered) }
        }
    }

    private func prepare(_ number: Int) throws -> Prepared {
        if let known = prepared[number] { return known }
        let scene = plan.scenes[number]
        var bands: [String: SampledBand] = [:]
        var radiometry: [String: Radiometry] = [:]
        for name in plan.usedBands {
            guard let band = scene.bands[name] else {
                throw RasterError(
                    "scene \(scene.id) has no band \(name); drop the scene, or ask for another index")
            }
            let ratio = try sampler.ratio(to: band.grid)
            bands[name] = SampledBand(band, ratio: ratio, job: plan.grid, resampling: plan.rules.resampling)
            radiometry[name] = band.radiometry
        }
        let finest = plan.usedBands.compactMap { scene.bands[$0]?.grid }.min { $0.pixelWidth < $1.pixelWidth }
        guard let finest else { throw RasterError("scene \(scene.id) has no band that the job uses") }
        let result = Prepared(bands: bands, radiometry: radiometry, finest: finest)
        prepared[number] = result
        return result
    }

    /// For each index in `open`, the pixels that the scene classification hides (1) or not (0).
    private func hiddenPlanes(
        _ scene: Scene, _ window: PixelWindow, for open: [Int]
    ) throws -> [Int: UnsafeMutablePointer<UInt8>] {
        guard let classification = scene.classification, open.contains(where: { masks[$0] != nil }) else {
            return [:]
        }
        let radius = plan.rules.maskBuffer
        let halo = Int(radius.rounded(.up))
        let wide = PixelWindow(
            x: window.x - halo, y: window.y - halo, width: window.width + 2 * halo,
            height: window.height + 2 * halo)
        let classes = scratch.octets(.plane(3), atLeast: wide.count)
        try sampler.sampleClasses(classification, wide, into: classes)
        var made: [(table: [UInt8], plane: UnsafeMutablePointer<UInt8>)] = []
        var result: [Int: UnsafeMutablePointer<UInt8>] = [:]
        for index in open {
            guard let table = masks[index]?.table else { continue }
            if let same = made.first(where: { $0.table == table }) {
                result[index] = same.plane
                continue
            }
            let plane = scratch.octets(.plane(4 + made.count), atLeast: window.count)
            if halo == 0 {
                for pixel in 0..<window.count { plane[pixel] = table[Int(classes[pixel])] }
            } else {
                grow(classes, table, wide, window, radius, into: plane)
            }
            made.append((table, plane))
            result[index] = plane
        }
        return result
    }

    /// Hidden areas grown by `radius` pixels. Class 0 is the edge of the data, not a cloud, and does not
    /// grow.
    private func grow(
        _ classes: UnsafeMutablePointer<UInt8>, _ table: [UInt8], _ wide: PixelWindow, _ window: PixelWindow,
        _ radius: Double, into plane: UnsafeMutablePointer<UInt8>
    ) {
        var hidden = (0..<wide.count).map { classes[$0] == 0 ? 0 : table[Int(classes[$0])] }
        DistanceTransform.grow(&hidden, width: wide.width, height: wide.height, radius: radius)
        let halo = window.x - wide.x
        for row in 0..<window.height {
            for column in 0..<window.width {
                let place = (row + halo) * wide.width + column + halo
                plane[row * window.width + column] = hidden[place] | table[Int(classes[place])]
            }
        }
    }
}
