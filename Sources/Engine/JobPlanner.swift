import Foundation
import Mosaic
import Raster
import Scenes
import TileStore

/// A job ready to run: what was asked, the plan made of it, and the key of each task.
public struct JobPlan: Sendable {
    public let request: MosaicRequest
    public let plan: MosaicPlan
    /// In task order.
    public let keys: [ContentHash]

    /// - Parameter fingerprint: of the engine that will run the tasks; part of their keys.
    public init(request: MosaicRequest, plan: MosaicPlan, fingerprint: String) {
        self.request = request
        self.plan = plan
        keys = plan.tasks.map { task in
            var bytes = plan.description(of: task)
            bytes.append(fingerprint)
            return ContentHash(of: bytes.bytes)
        }
    }

    /// Names the job: equal requests over equal scenes have equal names.
    public var identity: ContentHash { ContentHash(of: keys.flatMap(\.bytes)) }
}

/// From a request to a plan: finds the scenes, asks PROJ where they lie, and lets `Planner` decide.
public struct JobPlanner {
    private let request: MosaicRequest

    /// - Parameter owners: the nodes on whose disks the request's files lie, where that is not this machine;
    ///   the plan then has their files in the form that reaches them (`MosaicPlan.plain`).
    /// - Throws: `RequestError` when the request's values make no sense; `SceneError` for an impossible
    ///   address.
    public init(_ request: MosaicRequest, owners: SceneOwners = SceneOwners()) throws {
        try request.validate()
        self.request = try owners.reaching(request)
    }

    /// Makes the plan. Reads headers and a coarse sample of the scenes, no more.
    ///
    /// - Parameter checkRadiometry: compare metadata with pixels (RASTER.md, Guard).
    /// - Throws: a sentence about the request, a scene or the area.
    public func plan(checkRadiometry: Bool = true) throws -> MosaicPlan {
        let indices = try SpectralIndex.resolve(request)
        let bands = Set(indices.flatMap(\.bands))
        let found = try SceneResolver(request: request, needed: bands).resolve(
            checkingRadiometry: checkRadiometry)
        for scene in found { try check(scene, has: bands) }
        var scenes = try request.select.order(found).map { found[$0] }
        let crs = try jobCRS(scenes, bands)
        var placements = try scenes.map { try Self.placement(of: $0, bands, in: crs) }
        let area = try request.area.map { try $0.bounds(in: crs) }
        if try CoordinateSystem(crs).isGeographic {
            let middle = (area ?? placements[0].extent).centre.x
            for number in scenes.indices {
                let turn = ((middle - placements[number].extent.centre.x) / 360).rounded() * 360
                placements[number].turn(by: turn, in: crs)
                scenes[number].turn(by: turn, in: crs)
            }
        }
        let grid = try Planner.grid(request: request, crs: crs, placements: placements, area: area)
        let edge = Planner.taskEdge(columns: grid.columns, rows: grid.rows)
        try Planner.checkTasks(columns: grid.columns, rows: grid.rows, edge: edge)
        return MosaicPlan(
            grid: grid, scenes: scenes, extents: placements.map(\.extent), indices: indices,
            rules: try rules(grid), taskEdge: edge)
    }

    private func check(_ scene: Scene, has bands: Set<String>) throws {
        for name in bands.sorted() where scene.bands[name] == nil {
            throw EngineError(
                "scene \(scene.id) has no band \(name), which the indices need; it has "
                    + scene.bands.keys.sorted().joined(separator: ", ")
                    + ". Drop the scene, name the band with --bands, or ask for another index")
        }
    }

    private func jobCRS(_ scenes: [Scene], _ bands: Set<String>) throws -> CRS {
        if let wanted = request.crs { return try CoordinateSystem(text: wanted).crs }
        let systems = Set(scenes.flatMap { scene in bands.compactMap { scene.bands[$0]?.grid.crs } })
        if systems.count == 1, let only = systems.first { return only }
        let area = try request.area ?? Self.centreArea(scenes, bands)
        let longitude = (area.west + area.unwrappedEast) / 2
        return CRS.utm(
            longitude: longitude > 180 ? longitude - 360 : longitude, latitude: (area.south + area.north) / 2)
    }

    /// The area of all scenes together, on the side of the globe where the first one lies.
    private static func centreArea(_ scenes: [Scene], _ bands: Set<String>) throws -> Area {
        var union: (west: Double, south: Double, east: Double, north: Double)?
        for scene in scenes {
            guard let grid = finest(scene, bands) else { continue }
            let area = try Area(covering: grid.bounds, in: grid.crs)
            guard let known = union else {
                union = (area.west, area.south, area.unwrappedEast, area.north)
                continue
            }
            let middle = (known.west + known.east) / 2
            let turn = (((area.west + area.unwrappedEast) / 2 - middle) / 360).rounded() * 360
            union = (
                min(known.west, area.west - turn), min(known.south, area.south),
                max(known.east, area.unwrappedEast - turn), max(known.north, area.north)
            )
        }
        guard let union else { throw EngineError("the job has no scenes; give at least one") }
        let east = union.east > 180 ? union.east - 360 : union.east
        return Area(west: union.west, south: union.south, east: east, north: union.north)
    }

    private static func finest(_ scene: Scene, _ bands: Set<String>) -> Grid? {
        bands.sorted().compactMap { scene.bands[$0]?.grid }.min { $0.pixelWidth < $1.pixelWidth }
    }

    private static func placement(of scene: Scene, _ bands: Set<String>, in crs: CRS) throws -> Placement {
        guard let finest = finest(scene, bands) else { throw EngineError("scene \(scene.id) has no bands") }
        guard finest.crs != crs else {
            let extent = bands.compactMap { scene.bands[$0]?.grid.bounds }.reduce(finest.bounds) {
                $0.union($1)
            }
            return Placement(
                extent: extent, finest: finest, pixelWidth: finest.pixelWidth, pixelHeight: finest.pixelHeight
            )
        }
        let transform = try CoordinateTransform(from: finest.crs, to: crs)
        let extent = try transform.bounds(of: finest.bounds)
        let centre = finest.bounds.centre
        let pixel = Bounds(
            left: centre.x, bottom: centre.y, right: centre.x + finest.pixelWidth,
            top: centre.y + finest.pixelHeight)
        let size = try transform.bounds(of: pixel)
        // The pixel keeps its area, rounded to a readable figure: 10 m stays 10 m across zones.
        let side = ((size.right - size.left) * (size.top - size.bottom)).squareRoot()
        let metric = try CoordinateSystem(crs).metresPerUnit == CoordinateSystem(finest.crs).metresPerUnit
        let width = metric ? finest.pixelWidth : Self.rounded(side)
        return Placement(
            extent: extent, finest: finest, pixelWidth: width,
            pixelHeight: metric ? finest.pixelHeight : width)
    }

    /// Three significant digits.
    private static func rounded(_ value: Double) -> Double {
        guard value > 0, value.isFinite else { return value }
        var unit = 1.0
        while value / unit >= 1000 { unit *= 10 }
        while value / unit < 100 { unit /= 10 }
        return (value / unit).rounded() * unit
    }

    private func rules(_ grid: Grid) throws -> RenderRules {
        RenderRules(
            select: request.select, mask: request.mask, maskBuffer: try maskBuffer(grid),
            clamp: request.clamp,
            resampling: request.resampling, clip: try request.clip.map { try Self.clipText($0, grid) },
            provenance: request.provenance)
    }

    /// The mask buffer in pixels of the job grid.
    private func maskBuffer(_ grid: Grid) throws -> Double {
        guard request.maskBuffer > 0 else { return 0 }
        let system = try CoordinateSystem(grid.crs)
        guard !system.isGeographic else {
            throw EngineError(
                "--mask-buffer needs a grid in metres and \(grid.crs) is in degrees; add --crs EPSG:…")
        }
        let pixels = request.maskBuffer / (grid.pixelWidth * system.metresPerUnit)
        guard pixels <= 512 else {
            throw EngineError(
                "--mask-buffer \(request.maskBuffer) is \(Int(pixels)) pixels of this mosaic; "
                    + "at most 512 are taken"
            )
        }
        return pixels
    }

    private static func clipText(_ path: String, _ grid: Grid) throws -> String {
        guard VirtualFile.status(path)?.isFolder != true else {
            throw EngineError("cannot read the clip \(path): it is a folder; give --clip a GeoJSON file")
        }
        guard let text = String(validating: try VirtualFile.read(path, limit: 64 << 20), as: UTF8.self) else {
            throw EngineError("the clip \(path) is no GeoJSON, for it is not UTF-8 text; check --clip")
        }
        try Clip.check(text, on: grid)
        return text
    }
}

/// Longitudes that go on counting past the 180° meridian, so that neighbours across it stay neighbours.
extension Placement {
    /// - Parameters:
    ///   - degrees: a multiple of 360.
    ///   - crs: geographic; a grid of another system is left alone.
    fileprivate mutating func turn(by degrees: Double, in crs: CRS) {
        extent.left += degrees
        extent.right += degrees
        if finest.crs == crs { finest.originX += degrees }
    }
}

extension Scene {
    fileprivate mutating func turn(by degrees: Double, in crs: CRS) {
        for (name, band) in bands where band.grid.crs == crs { bands[name]?.grid.originX += degrees }
        if classification?.grid.crs == crs { classification?.grid.originX += degrees }
    }
}
