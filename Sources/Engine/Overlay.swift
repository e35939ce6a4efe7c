import Foundation
import Mosaic
import Raster

/// `<index>.3857.png`: a mosaic in the projection of web maps, at most 4096 pixels a side. A picture in UTM
/// that is hung on longitude and latitude corners lies kilometres off (RASTER.md, Outputs).
///
/// The finished COG is the one scene of a small plan of its own, so that warp, averages and colours are the
/// same as everywhere.
struct Overlay {
    private static let webMercator = CRS("EPSG:3857")
    /// Pixels a side at most.
    private static let mostPixels = 4096.0
    let grid: Grid

    /// The overlay's grid for a mosaic's.
    ///
    /// - Throws: `EngineError` for a mosaic that the projection cannot show in one piece.
    init(of mosaic: Grid) throws {
        let area = try Area(covering: mosaic.bounds, in: mosaic.crs)
        guard !area.crossesAntimeridian, area.south > -85.06, area.north < 85.06 else {
            throw EngineError(
                "--overlay cannot show this mosaic: web mercator ends at 85° north and south "
                    + "and at the 180° meridian; "
                    + "drop --overlay, or cut the mosaic with --bbox")
        }
        let bounds = try CoordinateTransform(from: mosaic.crs, to: Self.webMercator).bounds(of: mosaic.bounds)
        let width = bounds.right - bounds.left
        let height = bounds.top - bounds.bottom
        let finest = max(width / Double(mosaic.columns), height / Double(mosaic.rows))
        let pixel = max(finest, max(width, height) / Self.mostPixels)
        grid = Grid(
            crs: Self.webMercator, originX: bounds.left, originY: bounds.top, pixelWidth: pixel,
            pixelHeight: pixel,
            columns: min(Int(Self.mostPixels), max(1, Int((width / pixel).rounded(.up)))),
            rows: min(Int(Self.mostPixels), max(1, Int((height / pixel).rounded(.up)))))
    }

    /// Draws an index's COG, which still lies at `cogPath`, into `folder`.
    func write(
        _ index: SpectralIndex, mosaic: Grid, cogPath: String, into folder: OutputFolder
    ) throws -> [WrittenFile] {
        let name = "\(index.name).3857"
        let picture = try folder.stream("\(name).png")
        let palette = index.colormap.palette
        var writer = try PngWriter(
            to: picture.writer, columns: grid.columns, rows: grid.rows, palette: palette)
        let renderer = try PaletteRenderer(
            plan: plan(index, mosaic, cogPath), cache: BlockCache(limit: 64 << 20))
        let encoder = PngStripEncoder()
        let plane = UnsafeMutablePointer<UInt8>.allocate(capacity: grid.columns * PngStrip.rows)
        defer { plane.deallocate() }
        let sink = ByteSink(capacity: 1 << 20)
        for number in 0..<writer.stripCount {
            try renderer.strip(number, into: plane)
            sink.truncate()
            let strip = try encoder.encode(
                plane, stride: grid.columns, columns: grid.columns, rows: writer.rows(ofStrip: number),
                into: sink)
            try writer.append(strip, chunk: sink.bytes)
        }
        try writer.finish()
        return [
            try picture.seal(),
            try folder.write("\(name).pgw", Array(WorldFile.lines(for: grid).utf8)),
            try folder.write("\(name).png.aux.xml", Array(WorldFile.auxiliaryXML(for: grid.crs).utf8)),
        ]
    }

    private func plan(_ index: SpectralIndex, _ mosaic: Grid, _ cogPath: String) throws -> MosaicPlan {
        var request = MosaicRequest()
        request.expressions = [NamedExpression(name: "overlay", formula: "red")]
        request.range = index.range
        let band = Band(
            file: SourceFile(address: cogPath, size: nil, version: nil), number: 1, grid: mosaic,
            sample: .float32,
            nodata: nil, radiometry: Radiometry(scale: 1, offset: 0, origin: .assumed))
        return MosaicPlan(
            grid: grid, scenes: [Scene(id: index.name, sensor: .plain, bands: ["red": band])],
            extents: [grid.bounds],
            indices: try SpectralIndex.resolve(request), rules: RenderRules(mask: .none, clamp: .keep),
            taskEdge: MosaicPlan.blockEdge)
    }
}
