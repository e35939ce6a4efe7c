import Mosaic
import Testing

@testable import Raster

@Suite struct CoordinateSystemTests {
    @Test(arguments: [
        ("epsg:4326", "EPSG:4326"), (" EPSG:32633 ", "EPSG:32633"),
        ("+proj=utm +zone=33 +datum=WGS84", "EPSG:32633"),
    ])
    func whatAUserWritesBecomesCanonical(_ text: String, _ name: String) throws {
        #expect(try CoordinateSystem(text: text).crs == CRS(name))
    }

    /// WKT as a file may hold it: no authority codes at all.
    private let utm33WithoutCodes = """
        PROJCS["UTM 33",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],
        PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],
        PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",15],PARAMETER["scale_factor",0.9996],
        PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1]]
        """

    @Test func wktWithoutACodeIsIdentified() throws {
        #expect(try CoordinateSystem(text: utm33WithoutCodes).crs == CRS("EPSG:32633"))
    }

    @Test func aSystemThatNoRegisterKnowsKeepsItsWKT() throws {
        let own = utm33WithoutCodes.replacing("\"central_meridian\",15", with: "\"central_meridian\",16.5")
        let crs = try CoordinateSystem(text: own).crs
        #expect(crs.name.hasPrefix("PROJCRS["))
        #expect(!crs.name.contains("\n"))
        #expect(try CoordinateSystem(crs).crs == crs)
    }

    @Test(arguments: [
        "", "EPSG:999999", "EPSG:", "utm 33", "/etc/passwd", "https://host/crs.wkt", "EPSG:4979x",
        "WKT[\"x\"]", "a\nb:1",
    ])
    func anythingElseEndsInASentence(_ text: String) {
        #expect {
            try CoordinateSystem(text: text)
        } throws: { "\($0)".hasPrefix("unknown coordinate reference system '") }
    }

    @Test func aSystemWithoutAMapIsRefused() {
        // EPSG:4978 is geocentric.
        #expect(throws: RasterError.self) { try CoordinateSystem(text: "EPSG:4978") }
    }

    @Test func heightsAreLeftOut() throws {
        // EPSG:5972 is ETRS89 / UTM zone 32N + NN2000 height.
        #expect(try CoordinateSystem(text: "EPSG:5972").crs == CRS("EPSG:25832"))
    }

    @Test func unitsInMetres() throws {
        #expect(try CoordinateSystem(text: "EPSG:32633").metresPerUnit == 1)
        #expect(try CoordinateSystem(text: "EPSG:32633").isGeographic == false)
        // EPSG:2263 is in US survey feet: 1200/3937 m.
        #expect(abs(try CoordinateSystem(text: "EPSG:2263").metresPerUnit - 1200.0 / 3937) < 1e-12)
        // A degree of the WGS 84 equator: 6378137 · π / 180 m.
        #expect(abs(try CoordinateSystem(.wgs84).metresPerUnit - 111_319.490793) < 1e-5)
        #expect(try CoordinateSystem(.wgs84).isGeographic)
    }

    @Test(arguments: [
        (15.0, 46.0, "EPSG:32633"), (11.999, 46, "EPSG:32632"), (12, 46, "EPSG:32633"),
        (-123, 50, "EPSG:32610"),
        (178, -17, "EPSG:32760"), (-178, -17, "EPSG:32701"), (180, 10, "EPSG:32601"),
        (-180, 10, "EPSG:32601"),
        (181, 10, "EPSG:32601"), (179.999, 0, "EPSG:32660"),
    ])
    func theUTMZoneOfAPlace(_ longitude: Double, _ latitude: Double, _ name: String) {
        #expect(CRS.utm(longitude: longitude, latitude: latitude) == CRS(name))
    }
}

@Suite struct CoordinateTransformTests {
    @Test func pointsKeepTraditionalOrder() throws {
        let transform = try CoordinateTransform(from: .wgs84, to: CRS("EPSG:32633"))
        // On the central meridian the easting is 500000; at the equator the northing is 0.
        let point = try #require(transform.transform(x: 15, y: 0))
        #expect(abs(point.x - 500_000) < 1e-6)
        #expect(abs(point.y) < 1e-6)
        // One degree east on the equator, by Krüger's series (Karney 2011): 111314.2 m.
        let east = try #require(transform.transform(x: 16, y: 0))
        #expect(abs(east.x - 611_280.6) < 1)
    }

    @Test func aPointWithoutAPlaceIsNaN() throws {
        let transform = try CoordinateTransform(from: .wgs84, to: CRS("EPSG:3857"))
        var x = [0.0, 0, .nan]
        var y = [0.0, 90, 0]
        transform.transform(x: &x, y: &y)
        #expect(x[0] == 0)
        #expect(x[2].isNaN)
        #expect(y[2].isNaN)
    }

    /// The parallel 60° N bulges northward between its ends in UTM: the highest northing is at an end, the
    /// lowest in the middle, so that corners alone would cut the south.
    @Test func anAreaIsDensifiedBeforeItIsProjected() throws {
        let area = Area(west: 12, south: 60, east: 18, north: 61)
        let bounds = try area.bounds(in: CRS("EPSG:32633"))
        let transform = try CoordinateTransform(from: .wgs84, to: CRS("EPSG:32633"))
        let middle = try #require(transform.transform(x: 15, y: 60))
        let corner = try #require(transform.transform(x: 12, y: 60))
        #expect(bounds.bottom == middle.y)
        #expect(corner.y > middle.y + 1000)
        #expect(abs(bounds.left + bounds.right - 1_000_000) < 1e-3)
    }

    @Test func anAreaAcrossTheAntimeridianStaysInOnePiece() throws {
        let area = Area(west: 179, south: -17, east: -179, north: -16)
        let bounds = try area.bounds(in: CRS("EPSG:32760"))
        #expect(bounds.left > 700_000)
        #expect(bounds.right - bounds.left < 220_000)
        #expect(try area.bounds(in: .wgs84) == Bounds(left: 179, bottom: -17, right: 181, top: -16))
    }

    @Test func aSceneAcrossTheAntimeridianHasAWestBeyondItsEast() throws {
        // The grid of tile 01WCR, whose item's bbox says −180…180: 109.8 km from (300000, 7600020),
        // EPSG:32601.
        let grid = Bounds(left: 300_000, bottom: 7_490_220, right: 409_800, top: 7_600_020)
        let area = try Area(covering: grid, in: CRS("EPSG:32601"))
        #expect(area.crossesAntimeridian)
        #expect(area.west > 178 && area.west < 179)
        #expect(area.east > -180 && area.east < -179)
        #expect(area.south > 67 && area.north < 69)
        let back = try area.bounds(in: CRS("EPSG:32601"))
        #expect(
            back.left < grid.left && back.right > grid.right && back.bottom < grid.bottom
                && back.top > grid.top)
    }

    @Test func aroundAPoleAllLongitudesLie() throws {
        let area = try Area(
            covering: Bounds(left: -1e6, bottom: -1e6, right: 1e6, top: 1e6), in: CRS("EPSG:3413"))
        #expect(area.west == -180 && area.east == 180 && area.north == 90)
        #expect(area.south > 70 && area.south < 80)
    }

    @Test func anAreaThatHasNoPlaceEndsInASentence() {
        #expect {
            try Area(west: -180, south: -90, east: 180, north: 90).bounds(in: CRS("EPSG:3413"))
        } throws: { "\($0)".contains("has no place in 'EPSG:3413'; choose a smaller area") }
    }
}
