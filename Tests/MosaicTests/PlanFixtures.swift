@testable import Mosaic

/// Scenes and plans without files.
enum TinyPlan {
    static let crs = CRS("EPSG:32633")

    static func grid(
        _ columns: Int, _ rows: Int, left: Double = 600_000, top: Double = 5_100_000, pixel: Double = 10,
        crs: CRS = crs
    ) -> Grid {
        Grid(
            crs: crs, originX: left, originY: top, pixelWidth: pixel, pixelHeight: pixel, columns: columns,
            rows: rows)
    }

    static func band(_ address: String, _ grid: Grid) -> Band {
        Band(
            file: SourceFile(address: address, size: 1000, version: "1700000000"), number: 1, grid: grid,
            sample: .uint16, nodata: nil,
            radiometry: Radiometry(scale: 1e-4, offset: -1000, origin: .productMetadata))
    }

    static func scene(_ id: String, _ grid: Grid) -> Scene {
        Scene(
            id: id, sensor: .sentinel2,
            bands: ["red": band("/\(id)/B04.tif", grid), "nir": band("/\(id)/B08.tif", grid)],
            classification: band("/\(id)/SCL.tif", grid))
    }

    /// NDVI of scenes on grids of `crs`; the job grid is `grid`.
    static func plan(_ grid: Grid, _ scenes: [Scene], edge: Int = 512) throws -> MosaicPlan {
        MosaicPlan(
            grid: grid, scenes: scenes, extents: scenes.map { $0.bands["red"]!.grid.bounds },
            indices: try SpectralIndex.resolve(MosaicRequest()), rules: RenderRules(), taskEdge: edge)
    }

    static func placement(_ grid: Grid) -> Placement {
        Placement(
            extent: grid.bounds, finest: grid, pixelWidth: grid.pixelWidth, pixelHeight: grid.pixelHeight)
    }
}
