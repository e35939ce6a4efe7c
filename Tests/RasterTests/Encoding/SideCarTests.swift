import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Raster

@Suite struct SideCarTests {
    @Test func aWorldFileNamesTheCentreOfTheFirstPixel() {
        let grid = Grid(
            crs: CRS("EPSG:32633"), originX: 499_980, originY: 5_200_020, pixelWidth: 10, pixelHeight: 20,
            columns: 3, rows: 2)
        #expect(WorldFile.lines(for: grid) == "10\n0\n0\n-20\n499985\n5200010\n")
    }

    private static let numbers: [(Double, String)] = [
        (8.983152841195215e-05, "0.00008983152841195215"), (-1e-7, "-0.0000001"), (0, "0"), (-0.5, "-0.5"),
        (1e22, "10000000000000000000000"), (-1.25e17, "-125000000000000000"), (123.456, "123.456"),
        (1.5e300, "15" + String(repeating: "0", count: 299)),
        (.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5"),
    ]

    @Test(arguments: numbers)
    func numbersHaveNoExponent(value: Double, text: String) {
        #expect(WorldFile.decimal(value) == text)
        #expect(Double(text) == value)
    }

    @Test func randomNumbersComeBackExactly() {
        var numbers = TestNumbers(state: 11)
        for _ in 0..<5000 {
            let value = Double(bitPattern: numbers.next())
            guard value.isFinite else { continue }
            let text = WorldFile.decimal(value)
            #expect(Double(text) == value && !text.contains("e"))
        }
    }

    /// GDAL finds place and CRS of a PNG in its side-cars.
    @Test(arguments: ["EPSG:32760", "EPSG:4326"]) func gdalReadsTheSideCars(name: String) throws {
        let folder = try TestFolder()
        try PngWriterTests.write([1, 2, 3, 4, 5, 6], 3, 2, to: folder, name: "a.png")
        let grid = Grid(
            crs: CRS(name), originX: 170.25, originY: -41.5, pixelWidth: 1.0 / 1024, pixelHeight: 1.0 / 512,
            columns: 3, rows: 2)
        let path = folder.path + "/a.png"
        try WorldFile.lines(for: grid).write(
            toFile: folder.path + "/a.pgw", atomically: true, encoding: .utf8)
        try WorldFile.auxiliaryXML(for: grid.crs).write(
            toFile: path + ".aux.xml", atomically: true, encoding: .utf8)
        // Tests of other suites read with GDAL's side-car metadata off, as the program does.
        CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", "YES")
        CPLSetThreadLocalConfigOption("GDAL_DISABLE_READDIR_ON_OPEN", "NO")
        defer {
            CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", nil)
            CPLSetThreadLocalConfigOption("GDAL_DISABLE_READDIR_ON_OPEN", nil)
        }
        let dataset = try Dataset(opening: path)
        var transform = [Double](repeating: 0, count: 6)
        #expect(GDALGetGeoTransform(dataset.handle, &transform) == CE_None)
        #expect(transform == [170.25, 1.0 / 1024, 0, -41.5, 0, -1.0 / 512])
        let expected = OSRNewSpatialReference(try GeoKeys.wkt(of: grid.crs))
        defer { OSRRelease(expected) }
        OSRSetAxisMappingStrategy(expected, OAMS_TRADITIONAL_GIS_ORDER)
        #expect(OSRIsSame(GDALGetSpatialRef(dataset.handle), expected) == 1)
    }

    @Test func theStyleIsXMLWithTheAnchorsAtTheirValues() throws {
        let style = QgisStyle.xml(palette: Colormap.rdylgn.palette, range: ValueRange(low: -1, high: 1))
        let root = try #require(CPLParseXMLString(style))
        defer { CPLDestroyXMLNode(root) }
        #expect(text(root, "=qgis.pipe.rasterrenderer.type") == "singlebandpseudocolor")
        #expect(text(root, "=qgis.pipe.rasterrenderer.classificationMin") == "-1.0")
        let shader = "=qgis.pipe.rasterrenderer.rastershader.colorrampshader"
        #expect(text(root, shader + ".colorRampType") == "INTERPOLATED")
        #expect(text(root, shader + ".item.value") == "-1.0")
        #expect(text(root, shader + ".item.color") == "#a50026")
        #expect(style.contains("<item value=\"0.0\" label=\"0\" color=\"#fefebd\" alpha=\"255\"/>"))
        #expect(style.contains("<item value=\"1.0\" label=\"1\" color=\"#006837\" alpha=\"255\"/>"))
    }

    private func text(_ node: UnsafeMutablePointer<CPLXMLNode>, _ path: String) -> String? {
        CPLGetXMLValue(node, path, nil).map { String(cString: $0) }
    }
}
