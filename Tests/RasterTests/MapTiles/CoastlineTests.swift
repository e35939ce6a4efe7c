import Foundation
import Testing

@testable import Raster

/// Rings from pieces, and the world as Debian's package has it.
struct CoastlineTests {
    private typealias Segment = Coastline.Segment

    private func segment(_ shore: Int, _ points: [(Double, Double)], level: Int = 1) -> Segment {
        Segment(shore: shore, level: level, points: points.map { (x: $0.0, y: $0.1) })
    }

    @Test func piecesJoinWhereOneEndsAndTheNextBegins() {
        let west = segment(7, [(10, 1), (9, 2), (9, 4), (10, 5)])
        let east = segment(7, [(10, 5), (12, 5), (12, 1), (10, 1)])
        // The same place, another shore.
        let lake = segment(8, [(10, 5), (11, 5), (11, 4)], level: 2)
        let rings = Coastline.join([west, lake, east])
        #expect(rings.count == 2)
        #expect(rings.first?.points == [10, 1, 9, 2, 9, 4, 10, 5, 10, 5, 12, 5, 12, 1, 10, 1])
        #expect(rings.last == Coastline.Ring(level: 2, points: [10, 5, 11, 5, 11, 4]))
    }

    /// Fiji: longitudes go on past 180 instead of jumping to −180.
    @Test func aRingAcrossTheDateLineGoesOn() {
        let rings = Coastline.join([
            segment(1, [(170, -17), (180, -18)]), segment(1, [(-180, -18), (-178, -17), (-180, -16)]),
            segment(1, [(180, -16), (170, -17)]),
        ])
        #expect(
            rings.map(\.points) == [[170, -17, 180, -18, 180, -18, 182, -17, 180, -16, 180, -16, 170, -17]])
    }

    /// Antarctica goes once around the world: it is closed along the pole.
    @Test func aRingAroundThePoleIsClosedAlongIt() {
        let points = stride(from: -180.0, through: 180, by: 60).map { ($0, -70.0) }
        let rings = Coastline.join([segment(1, points)])
        #expect(rings.first?.points.suffix(4) == [180, -90, -180, -90])
    }

    @Test func piecesThatLeadNowhereAndEmptyOnesDoNoHarm() {
        #expect(
            Coastline.join([segment(1, []), segment(2, [(1, 1)]), segment(3, [(1, 1), (2, 2)])]).isEmpty)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: Coastline.usualPath), "needs gmt-gshhg-low"))
    func theWorldHasItsLandItsSeaAndItsLakes() throws {
        let world = try Coastline()
        func levels(_ x: Double, _ y: Double) -> [Int] {
            world.rings.filter { ring in [-360, 0, 360].contains { contains(ring, x + Double($0), y) } }
                .map(\.level).sorted()
        }
        #expect(levels(-123.65, 49.25) == [], "the Strait of Georgia")
        #expect(levels(-120.0, 51.0) == [1], "British Columbia")
        #expect(levels(33.0, -1.0) == [1, 2], "Lake Victoria")
        #expect(levels(178.0, -17.8) == [1], "Viti Levu, Fiji")
        #expect(levels(-170.0, 67.5) == [], "the Chukchi Sea")
        #expect(levels(-175.0, 66.5) == [1], "Chukotka, beyond 180 degrees")
        #expect(levels(0, -85) == [1], "Antarctica")
        #expect(levels(-30, 0) == [], "the Atlantic")
        #expect(world.bytes.count == world.rings.reduce(0) { $0 + 6 + $1.points.count * 4 })
    }

    @Test func whatIsNoCoastlineIsNamed() throws {
        let path = NSTemporaryDirectory() + "coast-\(UUID().uuidString).nc"
        try Data("no netCDF".utf8).write(to: URL(fileURLWithPath: path))
        defer { unlink(path) }
        for path in [path, "/nowhere/coast.nc"] {
            let error = #expect(throws: RasterError.self) { try Coastline(path: path) }
            #expect("\(error, default: "none")".contains(path))
        }
    }

    /// Even-odd rule.
    private func contains(_ ring: Coastline.Ring, _ x: Double, _ y: Double) -> Bool {
        ring.points.withUnsafeBufferPointer { points in
            var isInside = false
            var last = points.count - 2
            for at in stride(from: 0, to: points.count, by: 2) {
                defer { last = at }
                guard (points[at + 1] > y) != (points[last + 1] > y) else { continue }
                let share = (y - points[at + 1]) / (points[last + 1] - points[at + 1])
                if x < (points[last] - points[at]) * share + points[at] { isInside.toggle() }
            }
            return isInside
        }
    }
}
