import Testing

@testable import Mosaic

@Suite struct GridTests {
    private let utm33 = Grid(
        crs: CRS("EPSG:32633"), originX: 499980, originY: 5_200_020, pixelWidth: 120, pixelHeight: 120,
        columns: 915, rows: 915)

    @Test func aCoveringWindowExtendsOutward() {
        let area = Bounds(left: 499_990, bottom: 5_199_700, right: 500_110, top: 5_200_020)
        #expect(utm33.windowCovering(area) == PixelWindow(x: 0, y: 0, width: 2, height: 3))
    }

    @Test func anEdgeOnALatticeLineAddsNoRow() {
        #expect(utm33.windowCovering(utm33.bounds) == utm33.window)
    }

    @Test func halfAPixelApartIsAnotherLattice() {
        var shifted = utm33
        shifted.originY -= 60
        #expect(shifted.offset(in: utm33) == nil)
        shifted.originY = utm33.originY - 240
        #expect(shifted.offset(in: utm33)?.y == 2)
    }

    @Test func cornersInAnyOrderGiveTheShorterWayRound() {
        let plain = Area(cornerLatitude: 49, longitude: -122, otherLatitude: 50, otherLongitude: -123)
        #expect(plain == Area(west: -123, south: 49, east: -122, north: 50))
        let pacific = Area(cornerLatitude: -17, longitude: -179, otherLatitude: -16, otherLongitude: 179)
        #expect(pacific == Area(west: 179, south: -17, east: -179, north: -16))
        #expect(pacific.unwrappedEast == 181)
    }
}
