import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster

@Suite struct CogImageTests {
    @Test func gdalFindsDescriptionStatisticsAndItemsWithMarkup() throws {
        let image = TestImage(columns: 600, rows: 40, seed: 1) { x, _ in x >= 150 }
        let folder = try TestFolder()
        let formula = "(nir - red) / (nir + red) < 1 & \"x\" > 'y' &amp;\u{1}"
        try image.writeCog(to: folder, name: "a.tif", items: [("FORMULA", formula), ("A\"B", "1")])
        let dataset = try Dataset(opening: folder.path + "/a.tif")
        let band = try dataset.band(1)
        #expect(String(cString: GDALGetDescription(band)) == "ndvi")
        #expect(try dataset.metadata("FORMULA") == String(formula.dropLast()))
        #expect(try dataset.metadata("A\"B") == "1")
        #expect(try dataset.metadata("STATISTICS_VALID_PERCENT", ofBand: true) == "75.0")
        var (low, high, average, deviation) = (0.0, 0.0, 0.0, 0.0)
        #expect(GDALGetRasterStatistics(band, 0, 0, &low, &high, &average, &deviation) == CE_None)
        let valid = image.pixels.filter { !$0.isNaN }.map(Double.init)
        let mean = valid.reduce(0, +) / Double(valid.count)
        let spread = (valid.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(valid.count)).squareRoot()
        #expect(abs(low - valid.min()!) < 1e-7 && abs(high - valid.max()!) < 1e-7)
        #expect(abs(average - mean) < 1e-12 && abs(deviation - spread) < 1e-9)
        var isSet: Int32 = 0
        #expect(GDALGetRasterNoDataValue(band, &isSet).isNaN && isSet == 1)
    }

    /// EPSG codes, a geographic CRS, and WKT without a code.
    @Test(arguments: ["EPSG:32633", "EPSG:4326", "EPSG:3857", "EPSG:2193", "custom"])
    func gdalFindsTheCRSAndThePlace(name: String) throws {
        let custom = """
            PROJCS["Own & 'local'",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,\
            298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],\
            PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",1.5],\
            PARAMETER["central_meridian",17.25],PARAMETER["scale_factor",1],\
            PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]
            """
        let crs = CRS(name == "custom" ? custom : name)
        let folder = try TestFolder()
        let grid = Grid(
            crs: crs, originX: -12.345678901234567, originY: 0.1, pixelWidth: 1e-7, pixelHeight: 2e-5,
            columns: 5,
            rows: 7)
        try folder.stream("a.tif") {
            _ = try CogWriter.write(CogImage(grid: grid, bandName: "a"), to: $0, place: { _, _, _ in nil })
        }
        let dataset = try Dataset(opening: folder.path + "/a.tif")
        var transform = [Double](repeating: 0, count: 6)
        #expect(GDALGetGeoTransform(dataset.handle, &transform) == CE_None)
        #expect(transform == [-12.345678901234567, 1e-7, 0, 0.1, 0, -2e-5])
        #expect(try dataset.metadata("AREA_OR_POINT") == "Area")
        let expected = OSRNewSpatialReference(try GeoKeys.wkt(of: crs))
        defer { OSRRelease(expected) }
        OSRSetAxisMappingStrategy(expected, OAMS_TRADITIONAL_GIS_ORDER)
        #expect(OSRIsSame(GDALGetSpatialRef(dataset.handle), expected) == 1)
    }

    @Test func anUnknownCRSIsNamed() throws {
        for name in ["EPSG:999999", "nonsense", "/etc/passwd", "", "EPSG:-5"] {
            let error = #expect(throws: RasterError.self) { try GeoKeys.tags(for: CRS(name)) }
            #expect(error?.description.hasPrefix("unknown CRS \(name): ") == true)
        }
    }

    @Test func levelsEndWhenBothSidesFitInABlock() {
        let sizes = CogLayout(columns: 2049, rows: 600).levels.map { [$0.columns, $0.rows, $0.blockCount] }
        #expect(sizes == [[2049, 600, 10], [1025, 300, 3], [513, 150, 2], [257, 75, 1]])
        #expect(CogLayout(columns: 512, rows: 512).levels.count == 1)
    }

    @Test func statisticsOfBlocksAddUp() {
        var total = PixelStatistics.none
        total += PixelStatistics([.nan, 1, 2, 4], stride: 2, columns: 2, rows: 2)
        total += PixelStatistics([.nan], stride: 1, columns: 1, rows: 1)
        total += PixelStatistics([-3], stride: 1, columns: 1, rows: 1)
        #expect(total == PixelStatistics(count: 4, minimum: -3, maximum: 4, sum: 4, sumOfSquares: 30))
        #expect(total.mean == 1 && total.standardDeviation == 6.5.squareRoot())
    }
}
