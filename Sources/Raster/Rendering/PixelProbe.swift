import Mosaic

/// What one scene says about one pixel of a mosaic.
public struct SceneFinding: Codable, Hashable, Sendable {
    /// Place of the scene in the plan.
    public var scene: Int
    /// DN of the source pixel nearest to the mosaic pixel's centre, by band; a band without data there is
    /// absent.
    public var numbers: [String: Double]
    /// The SCL class of the pixel nearest to the centre; nil without SCL there.
    public var classification: UInt8?
    /// What the scene alone would give, for each index of the plan.
    public var verdicts: [PixelVerdict]
    /// Why the scene cannot be read there; nil when it can.
    public var failure: String?
}

/// What a mosaic pixel is, for one index.
public struct PixelVerdict: Codable, Hashable, Sendable {
    /// Nil unless the reason is `valid`.
    public var value: Double?
    public var reason: String
    /// Place in the plan of the scene that gave the value, for rules that take it from one scene.
    public var scene: Int?
}

/// Looks at single pixels of a mosaic with the renderer's own eyes. Used by one thread.
public final class PixelProbe {
    private let plan: MosaicPlan
    private let reader: SourceReader
    private let whole: BlockRenderer
    private let alone: BlockRenderer
    private var transforms: [CRS: CoordinateTransform] = [:]

    /// - Throws: `RasterError` when the plan's clip cannot be read.
    public init(plan: MosaicPlan) throws {
        self.plan = plan
        let cache = BlockCache(limit: 64 << 20)
        reader = SourceReader(cache: cache, job: plan.grid)
        var rules = plan.rules
        rules.provenance = true
        var shown = plan
        shown.rules = rules
        whole = try BlockRenderer(plan: shown, cache: cache)
        rules.select = .first
        rules.clip = nil
        shown.rules = rules
        alone = try BlockRenderer(plan: shown, cache: cache)
    }

    /// What the mosaic shows at a pixel of the job grid, for each index.
    public func verdicts(column: Int, row: Int) -> [PixelVerdict] {
        let window = PixelWindow(x: column, y: row, width: 1, height: 1)
        let scenes = plan.scenes.indices.filter { plan.extents[$0].intersects(plan.grid.bounds(of: window)) }
        let isOneScene = [.first, .min, .max].contains(plan.rules.select.composite)
        return look(whole, window, scenes, naming: isOneScene).verdicts
    }

    /// What each scene that covers a pixel says about it, in plan order.
    ///
    /// - Throws: `RasterError` when a scene's CRS has no way to the job's.
    public func findings(column: Int, row: Int) throws -> [SceneFinding] {
        let window = PixelWindow(x: column, y: row, width: 1, height: 1)
        let bounds = plan.grid.bounds(of: window)
        return try plan.scenes.indices.filter { plan.extents[$0].intersects(bounds) }.map { number in
            let seen = look(alone, window, [number], naming: false)
            var finding = SceneFinding(
                scene: number, numbers: [:], verdicts: seen.verdicts, failure: seen.failures.first)
            guard seen.failures.isEmpty else { return finding }
            let scene = plan.scenes[number]
            for name in plan.usedBands {
                guard let band = scene.bands[name], let place = try nearest(bounds.centre, in: band.grid)
                else { continue }
                var number: Float = .nan
                try reader.read(band, place, into: &number, stride: 1)
                if !number.isNaN { finding.numbers[name] = Double(number) }
            }
            if let band = scene.classification, let place = try nearest(bounds.centre, in: band.grid) {
                var value: UInt8 = 0
                try reader.readClasses(band, place, into: &value, stride: 1)
                finding.classification = value
            }
            return finding
        }
    }

    private func look(_ renderer: BlockRenderer, _ window: PixelWindow, _ scenes: [Int], naming: Bool) -> (
        verdicts: [PixelVerdict], failures: [String]
    ) {
        let picture = renderer.render(window, scenes: scenes)
        defer { picture.giveBack() }
        let verdicts = picture.planes.map { plane in
            let reason = Reason(rawValue: plane.reasons[0]) ?? .undefined
            let local = naming ? plane.scenes.map { Int($0[0]) } ?? 0 : 0
            return PixelVerdict(
                value: reason == .valid ? Double(plane.values[0]) : nil, reason: "\(reason)",
                scene: local > 0 && reason == .valid ? scenes[local - 1] : nil)
        }
        return (verdicts, picture.failures)
    }

    /// The pixel of `grid` that holds a point of the job's CRS; nil outside.
    private func nearest(_ point: (x: Double, y: Double), in grid: Grid) throws -> PixelWindow? {
        var place = point
        if grid.crs != plan.grid.crs {
            let transform = try transforms[grid.crs] ?? CoordinateTransform(from: plan.grid.crs, to: grid.crs)
            transforms[grid.crs] = transform
            guard let found = transform.transform(x: point.x, y: point.y) else { return nil }
            place = found
        }
        return grid.pixel(at: place)
    }
}

extension Grid {
    /// The pixel that holds a point of the grid's CRS, as a window of one; nil outside.
    public func pixel(at point: (x: Double, y: Double)) -> PixelWindow? {
        let column = ((point.x - originX) / pixelWidth).rounded(.down)
        let row = ((originY - point.y) / pixelHeight).rounded(.down)
        guard column >= 0, row >= 0, column < Double(columns), row < Double(rows) else { return nil }
        return PixelWindow(x: Int(column), y: Int(row), width: 1, height: 1)
    }
}
