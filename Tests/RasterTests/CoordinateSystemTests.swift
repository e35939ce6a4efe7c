import Mosaic
import Testing

@testable import Raster

@Suite struct CoordinateSystemTests {
    @Test func aCodeInAnyCaseIsCanonical() throws {
        #expect(try CoordinateSystem(text: "epsg:4326").crs == CRS("EPSG:4326"))
    }
}
