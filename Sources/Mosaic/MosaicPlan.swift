/// All that decides a mosaic: grid, scenes in order, indices, rules and tasks. A pure function of a request
/// and the scenes found for it; every node that holds a plan makes the same bytes from it.
public struct MosaicPlan: Codable, Hashable, Sendable {
    /// The job grid.
    public var grid: Grid
    /// In plan order: the order in which `first`-like rules look at them.
    public var scenes: [Scene]
    /// Each scene's extent in the job's CRS, in plan order.
    public var extents: [Bounds]
    /// One output each.
    public var indices: [SpectralIndex]
    public var rules: RenderRules
    /// Side of a full task in pixels: 512 · 2ⁿ.
    public var taskEdge: Int
    /// Tasks that touch a scene, in an order in which neighbours share source blocks. Cells that no scene
    /// touches have no task: they are empty.
    public var tasks: [MosaicTask]

    /// Side of a block in pixels: the unit of compression, of statistics and of rendering.
    public static let blockEdge = 512

    public init(
        grid: Grid, scenes: [Scene], extents: [Bounds], indices: [SpectralIndex], rules: RenderRules,
        taskEdge: Int
    ) {
        self.grid = grid
        self.scenes = scenes
        self.extents = extents
        self.indices = indices
        self.rules = rules
        self.taskEdge = taskEdge
        tasks = []
        let sources = scenes.flatMap { scene in usedBands.compactMap { scene.bands[$0]?.grid } }
        let order = TaskOrder(grid, sources: sources, edge: taskEdge)
        tasks = MosaicPlan.tasks(grid: grid, extents: extents, edge: taskEdge, order)
    }

    /// Cuts the grid in squares of `edge` pixels and keeps those that a scene touches.
    private static func tasks(
        grid: Grid, extents: [Bounds], edge: Int, _ order: TaskOrder
    ) -> [MosaicTask] {
        let columns = (grid.columns + edge - 1) / edge
        let rows = (grid.rows + edge - 1) / edge
        var scenes: [Int: [Int]] = [:]
        for (index, extent) in extents.enumerated() {
            let covered = grid.windowCovering(extent).intersection(grid.window)
            guard !covered.isEmpty else { continue }
            for row in covered.y / edge...(covered.endY - 1) / edge {
                for column in covered.x / edge...(covered.endX - 1) / edge {
                    scenes[row * columns + column, default: []].append(index)
                }
            }
        }
        let cells = scenes.keys.map { cell in
            (cell, order.place(column: cell % columns, row: cell / columns, columns: columns, rows: rows))
        }
        return cells.sorted { $0.1 < $1.1 }.enumerated().map { number, cell in
            let window = PixelWindow(
                x: cell.0 % columns * edge, y: cell.0 / columns * edge, width: edge, height: edge)
            return MosaicTask(
                number: number, window: window.intersection(grid.window), scenes: scenes[cell.0, default: []])
        }
    }
}

/// The unit of work: a square of the job grid and the scenes that touch it.
public struct MosaicTask: Codable, Hashable, Sendable {
    /// Place in the plan's order, from 0.
    public var number: Int
    /// Clipped to the grid at its right and lower edges.
    public var window: PixelWindow
    /// Indices into the plan's scenes, ascending.
    public var scenes: [Int]

    public init(number: Int, window: PixelWindow, scenes: [Int]) {
        self.number = number
        self.window = window
        self.scenes = scenes
    }
}

/// The rules of a request that decide pixels.
public struct RenderRules: Codable, Hashable, Sendable {
    public var select: SelectionRule
    public var mask: MaskRule
    /// Pixels of the job grid by which masked areas grow.
    public var maskBuffer: Double
    public var clamp: ClampRule
    public var resampling: Resampling
    /// GeoJSON text whose polygons cut the mosaic; nil: no cut.
    public var clip: String?
    /// Whether blobs say which scene gave each pixel.
    public var provenance: Bool

    public init(
        select: SelectionRule = .first, mask: MaskRule = .automatic, maskBuffer: Double = 0,
        clamp: ClampRule = .zero, resampling: Resampling = .bilinear, clip: String? = nil,
        provenance: Bool = false
    ) {
        self.select = select
        self.mask = mask
        self.maskBuffer = maskBuffer
        self.clamp = clamp
        self.resampling = resampling
        self.clip = clip
        self.provenance = provenance
    }
}
