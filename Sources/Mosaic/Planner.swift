/// Where a scene lies in the job's CRS; made by the shell, which has PROJ.
public struct Placement: Hashable, Sendable {
    /// The union of the bounds of the bands used, in the job's CRS.
    public var extent: Bounds
    /// The finest band used, on its own grid.
    public var finest: Grid
    /// Its pixel size in units of the job's CRS.
    public var pixelWidth: Double
    public var pixelHeight: Double

    public init(extent: Bounds, finest: Grid, pixelWidth: Double, pixelHeight: Double) {
        self.extent = extent
        self.finest = finest
        self.pixelWidth = pixelWidth
        self.pixelHeight = pixelHeight
    }
}

/// From request and scenes to the job grid (RASTER.md, Grid).
public enum Planner {
    /// Pixels on a side above which a mosaic cannot be written as TIFF or PNG.
    public static let largestSide = Int(Int32.max)
    /// Tasks above which a job is refused as absurd.
    public static let mostTasks = 4_000_000

    /// How much finer than the scenes a mosaic may be; beyond, a slip of the pen (degrees for metres) is
    /// likelier.
    static let finestFactor = 100.0

    /// The job grid.
    ///
    /// Without `--crs`, `--resolution` and a mixture of systems the grid has the phase of the first scene in
    /// plan order; otherwise its lines are multiples of the resolution. The extent is that of the scenes or
    /// of the area asked for, extended outward to whole pixels.
    ///
    /// - Parameters:
    ///   - placements: in plan order, not empty.
    ///   - area: the bounding box asked for, in `crs`; nil: the scenes' union.
    /// - Throws: `PlanError` for an area outside all scenes and for absurd sizes.
    public static func grid(
        request: MosaicRequest, crs: CRS, placements: [Placement], area: Bounds?
    ) throws -> Grid {
        precondition(!placements.isEmpty, "a plan needs a scene")
        let union = placements.dropFirst().reduce(placements[0].extent) { $0.union($1.extent) }
        if let area, !placements.contains(where: { $0.extent.intersects(area) }) {
            throw PlanError(
                "the area asked for lies outside all scenes: it is \(text(area)) and they "
                    + "cover \(text(union)) "
                    + "in \(crs); check --bbox (W,S,E,N) or --corners, or add scenes")
        }
        let snapped =
            request.crs != nil || request.resolution != nil || placements.contains { $0.finest.crs != crs }
        let finest = placements.map { min($0.pixelWidth, $0.pixelHeight) }.reduce(.infinity, min)
        if let resolution = request.resolution, resolution * finestFactor < finest * (1 - 1e-9) {
            throw PlanError(
                "--resolution \(resolution) is over \(Int(finestFactor)) times finer than the scenes, "
                    + "whose pixels are "
                    + "\(finest) in \(crs); give a coarser one")
        }
        let width = request.resolution ?? placements.map(\.pixelWidth).reduce(.infinity, min)
        let height = request.resolution ?? placements.map(\.pixelHeight).reduce(.infinity, min)
        let origin: (x: Double, y: Double) =
            snapped ? (0, 0) : (placements[0].finest.originX, placements[0].finest.originY)
        let lattice = Grid(
            crs: crs, originX: origin.x, originY: origin.y, pixelWidth: width, pixelHeight: height,
            columns: 0,
            rows: 0)
        return try cut(lattice, to: area ?? union)
    }

    private static func cut(_ lattice: Grid, to area: Bounds) throws -> Grid {
        let columns = (area.right - area.left) / lattice.pixelWidth
        let rows = (area.top - area.bottom) / lattice.pixelHeight
        let limit = Double(largestSide)
        guard columns.isFinite, rows.isFinite, columns < limit, rows < limit,
            abs(area.left - lattice.originX) / lattice.pixelWidth < 1e15,
            abs(area.top - lattice.originY) / lattice.pixelHeight < 1e15
        else {
            throw PlanError(
                "the mosaic would have more than \(largestSide) pixels on a side; ask for a "
                    + "smaller area or a "
                    + "coarser --resolution")
        }
        let window = lattice.windowCovering(area)
        guard !window.isEmpty else {
            throw PlanError("the area asked for is empty: it holds no pixel; check --bbox or --corners")
        }
        let corner = lattice.bounds(of: window)
        return Grid(
            crs: lattice.crs, originX: corner.left, originY: corner.top, pixelWidth: lattice.pixelWidth,
            pixelHeight: lattice.pixelHeight, columns: window.width, rows: window.height)
    }

    /// The side of a task in pixels: 1024 where that leaves some dozens of tasks to share, less for a smaller
    /// mosaic, and 2048 for one that has a thousand of these.
    ///
    /// It decides how work is shared and never a byte of the result.
    public static func taskEdge(columns: Int, rows: Int) -> Int {
        for (edge, least) in [(2048, 1000), (1024, 24)]
        where ((columns + edge - 1) / edge) * ((rows + edge - 1) / edge) >= least { return edge }
        return MosaicPlan.blockEdge
    }

    /// - Throws: `PlanError` when a mosaic of this size would have an absurd number of tasks.
    public static func checkTasks(columns: Int, rows: Int, edge: Int) throws {
        let tasks = Double((columns + edge - 1) / edge) * Double((rows + edge - 1) / edge)
        guard tasks <= Double(mostTasks) else {
            throw PlanError(
                "the mosaic would have \(columns) × \(rows) pixels in \(Int(tasks)) tasks; at "
                    + "most \(mostTasks) are "
                    + "taken: ask for a smaller area or a coarser --resolution")
        }
    }

    private static func text(_ area: Bounds) -> String {
        "\(area.left),\(area.bottom) to \(area.right),\(area.top)"
    }
}
