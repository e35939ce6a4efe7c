import Cluster
import Engine
import Mosaic
import Raster

/// The tasks of a job as they lie on the map.
public struct JobGrid: Sendable {
    public let grid: Grid
    public let taskEdge: Int
    public let indices: [SpectralIndex]
    public let windows: [PixelWindow]
    /// For each task its corners from the upper left, clockwise: longitude, latitude; empty where the globe
    /// has no place for one.
    public let outlines: [[Double]]
    /// Degrees: west, south, east, north; nil when a part of the grid has no place on the globe.
    public let area: Area?

    /// - Throws: `RasterError` when PROJ knows no way from the grid's system to degrees.
    init(_ plan: MosaicPlan) throws {
        (grid, taskEdge, indices) = (plan.grid, plan.taskEdge, plan.indices)
        windows = plan.tasks.map(\.window)
        var (x, y): ([Double], [Double]) = ([], [])
        for window in windows {
            let bounds = plan.grid.bounds(of: window)
            x += [bounds.left, bounds.right, bounds.right, bounds.left]
            y += [bounds.top, bounds.top, bounds.bottom, bounds.bottom]
        }
        try CoordinateTransform(from: plan.grid.crs, to: .wgs84).transform(x: &x, y: &y)
        outlines = windows.indices.map { task in
            let corners = (0..<4).flatMap { [x[task * 4 + $0], y[task * 4 + $0]] }
            return corners.contains(where: \.isNaN) ? [] : corners.map { ($0 * 1e6).rounded() / 1e6 }
        }
        switch Result(catching: { try Area(covering: plan.grid.bounds, in: plan.grid.crs) }) {
        case .success(let area): self.area = area
        case .failure: area = nil
        }
    }
}
