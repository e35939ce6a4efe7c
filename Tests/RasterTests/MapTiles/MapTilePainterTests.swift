import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster

/// Tiles against places worked out by hand.
@Suite struct MapTilePainterTests {
    /// A mosaic on the web map's own lattice: at `zoom`, its pixels are the tile's.
    private final class Checkers: MosaicPixels {
        let grid: Grid
        let deepestLevel = 0

        init(zoom: Int, columns: Int, rows: Int) {
            let pixel = 2 * MapTilePainter.halfWorld / Double(256 << zoom)
            grid = Grid(
                crs: CRS("EPSG:3857"), originX: 0, originY: 0, pixelWidth: pixel, pixelHeight: pixel,
                columns: columns, rows: rows)
        }

        /// −1 at even columns, 1 at odd ones.
        func read(_ window: PixelWindow, level: Int, into target: UnsafeMutablePointer<Float>) {
            for row in 0..<window.height {
                for column in 0..<window.width {
                    target[row * window.width + column] = (window.x + column) % 2 == 0 ? -1 : 1
                }
            }
        }
    }

    private func ndvi() throws -> SpectralIndex {
        var request = MosaicRequest()
        request.indices = ["ndvi"]
        return try SpectralIndex.resolve(request)[0]
    }

    /// The palette entries of a PNG, read by GDAL.
    private func entries(_ png: [UInt8]) throws -> [UInt8] {
        let folder = try TestFolder()
        let path = folder.file("tile.png").path
        try Data(png).write(to: URL(fileURLWithPath: path))
        let file = try Dataset(opening: path)
        #expect(file.size == (256, 256))
        var pixels = [UInt8](repeating: 0, count: 256 * 256)
        let outcome = GDALRasterIO(
            try file.band(1), GF_Read, 0, 0, 256, 256, &pixels, 256, 256, GDT_Byte, 0, 0)
        #expect(outcome == CE_None)
        return pixels
    }

    @Test func pixelsFallWhereTheyBelong() throws {
        // The mosaic begins at 0°, 0° and goes south-east: tile 8/8 of zoom 4 begins there too.
        let pixels = Checkers(zoom: 4, columns: 300, rows: 100)
        let painter = MapTilePainter()
        let png = try #require(try painter.tile(zoom: 4, column: 8, row: 8, of: pixels, index: try ndvi()))
        let entries = try entries(png)
        for (row, column) in [(0, 0), (0, 1), (50, 128), (99, 255), (99, 254)] {
            #expect(entries[row * 256 + column] == (column % 2 == 0 ? 1 : 255), "\(row), \(column)")
        }
        // Below the mosaic's 100 rows there is nothing.
        #expect(entries[100 * 256..<256 * 256].allSatisfy { $0 == 0 })
    }

    @Test func aTileBesideTheMosaicIsEmpty() throws {
        let pixels = Checkers(zoom: 4, columns: 300, rows: 100)
        let painter = MapTilePainter()
        for (column, row) in [(7, 8), (8, 7), (10, 8), (8, 9)] {
            #expect(
                try painter.tile(zoom: 4, column: column, row: row, of: pixels, index: try ndvi()) == nil,
                "\(column), \(row)")
        }
        #expect(try entries(try painter.emptyTile()).allSatisfy { $0 == 0 })
    }

    @Test func aFarZoomShowsTheMosaicSmall() throws {
        // At zoom 1 the 300 × 100 pixels of zoom 4 are 37.5 × 12.5.
        let pixels = Checkers(zoom: 4, columns: 300, rows: 100)
        let png = try #require(
            try MapTilePainter().tile(zoom: 1, column: 1, row: 1, of: pixels, index: try ndvi()))
        let entries = try entries(png)
        #expect(entries[5 * 256 + 5] != 0 && entries[11 * 256 + 36] != 0)
        #expect(entries[13 * 256 + 5] == 0 && entries[5 * 256 + 38] == 0)
    }
}
