import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Engine
@testable import Raster

/// RASTER.md, Grid: bands and scenes of other lattices, resampled.
@Suite struct ResamplingRulesTests {
    /// Reflectance of a 20 m band on the 10 m grid of another.
    @Test(arguments: [
        // Centres lie at ¼, ¾, 1¼ and 1¾ of the 20 m pixels, whose own centres are ½ and 1½.
        (Resampling.bilinear, [Float(0.1), 0.15, 0.25, 0.3]), (.nearest, [0.1, 0.1, 0.3, 0.3]),
        // Keys at ¼ takes 0.8671875 and 0.2265625 of the two that are there, at ¾ beyond the edge 0.8671875
        // and −0.0703125, each over their sum.
        (.cubic, [0.0823529, 0.1414286, 0.2585714, 0.3176471]),
    ]) func twentyMetresOnTen(method: Resampling, row: [Float]) throws {
        let trial = try Trial().kept
        try trial.scene(
            "a",
            [
                "B03": TinyBand([1, 1, 1, 1], [1, 1, 1, 1]), "B11": TinyBand([1000, 3000], pixel: 20),
            ])
        trial.show("swir16 + 0 * green")
        trial.request.resampling = method
        let outcome = try trial.run()
        #expect(outcome.summary.columns == 4 && outcome.summary.rows == 2)
        let values = try outcome.values()
        #expect(equal(Array(values[..<4]), row, tolerance: 2e-6), "\(values)")
        #expect(equal(Array(values[4...]), row, tolerance: 2e-6), "\(values)")
    }

    @Test func classesAreReplicated() throws {
        let trial = try Trial()
        let flat = TinyBand([2000, 2000, 2000, 2000], [2000, 2000, 2000, 2000])
        try trial.scene("a", ["B08": flat, "SCL": TinyBand([9, 4], pixel: 20, type: GDT_Byte)])
        trial.show("nir")
        let hidden = Reason.masked
        #expect(
            try trial.run().reasons() == [hidden, hidden, .valid, .valid, hidden, hidden, .valid, .valid])
    }

    @Test func tenMetresOnTwentyAreMeansOfTheValidHalf() throws {
        let trial = try Trial().kept
        try trial.scene(
            "a",
            [
                "B08": TinyBand(
                    [1000, 2000, 3000, 0, 5000, 0], [1000, 4000, 0, 0, 0, 7000], [9000, 0, 0, 0, 100, 300],
                    [0, 1000, 2000, 0, 0, 200])
            ])
        trial.show("nir")
        trial.request.resolution = 20
        let outcome = try trial.run()
        #expect(equal(try outcome.values(), [0.2, .nan, 0.6, 0.5, .nan, 0.02], tolerance: 1e-6))
        #expect(try outcome.reasons() == [.valid, .nodata, .valid, .valid, .nodata, .valid])
    }

    @Test func aSceneHalfAPixelApartIsWarped() throws {
        let trial = try Trial().kept
        try trial.scene("a", ["B08": TinyBand([100, 100, 100, 0])])
        // Its pixels begin 35 m to the right: at 3½ of ours.
        try trial.scene("b", ["B08": TinyBand([1000, 3000, 5000, 7000]).moved(x: 35, y: 0)])
        trial.show("nir")
        let outcome = try trial.run()
        #expect(outcome.summary.columns == 8)
        // Pixel 3 lies at half of b's first pixel's left neighbour, which is not there: half the weight
        // suffices.
        let row: [Float] = [0.01, 0.01, 0.01, 0.1, 0.2, 0.4, 0.6, .nan]
        #expect(equal(try outcome.values(), row, tolerance: 1e-6), "as found: \(outcome.summary)")
        #expect(try outcome.reasons().last == .outside)
        trial.request.resampling = .nearest
        #expect(equal(Array(try trial.run().values()[4...6]), [0.3, 0.5, 0.7], tolerance: 1e-6))
    }

    /// The job's grid lies in the zone of the centre; each pixel of the other zone's scene is compared with
    /// PROJ and bilinear weights in double.
    @Test func scenesOfTwoZonesMeet() throws {
        let trial = try Trial().kept
        let zones = try ["EPSG:32633", "EPSG:32634"].map { name -> (String, Double, Double) in
            let to = try CoordinateTransform(from: .wgs84, to: CRS(name))
            let corner = try #require(to.transform(x: name.hasSuffix("33") ? 17.997 : 18.002, y: 46))
            return (name, (corner.x / 10).rounded() * 10 + 3, (corner.y / 10).rounded() * 10 + 4)
        }
        let ramp = TinyBand(columns: 40, rows: 30) { x, y in Double(1000 + 10 * x + 7 * y) }
        for (name, left, top) in zones {
            try trial.scene(
                name.replacing(":", with: "-"),
                ["B08": ramp.with { ($0.crs, $0.left, $0.top) = (name, left, top) }])
        }
        trial.show("nir")
        let job = try trial.job()
        let outcome = try trial.run()
        let values = try outcome.values()
        let grid = job.plan.grid
        let givers = try outcome.scenes()
        // The middle of both lies just east of 18°: zone 34; lines are multiples of 10 m.
        #expect(grid.crs == CRS("EPSG:32634"))
        #expect(grid.originX.truncatingRemainder(dividingBy: 10) == 0 && grid.pixelWidth == 10)
        var compared = [0, 0]
        for (number, (name, left, top)) in zones.enumerated() {
            let to = try CoordinateTransform(from: grid.crs, to: CRS(name))
            for place in values.indices where givers[place] == UInt16(number + 1) {
                let x = grid.originX + (Double(place % grid.columns) + 0.5) * 10
                let y = grid.originY - (Double(place / grid.columns) + 0.5) * 10
                let there = try #require(to.transform(x: x, y: y))
                let (column, row) = ((there.x - left) / 10 - 0.5, (top - there.y) / 10 - 0.5)
                guard (0...39).contains(column), (0...29).contains(row) else { continue }
                // Bilinear of a plane is the plane.
                let expected = (1000 + 10 * column + 7 * row) * 1e-4
                compared[number] += 1
                #expect(abs(Double(values[place]) - expected) < 5e-5, "\(name) at \(place)")
            }
        }
        #expect(compared[0] > 1000 && compared[1] > 900)
        #expect(outcome.product.counts.total == grid.columns * grid.rows)
    }
}

/// RASTER.md, Grid: where a mosaic lies.
@Suite struct AreaRulesTests {
    private func flat(_ columns: Int, _ rows: Int, _ value: Double = 2000) -> TinyBand {
        TinyBand(columns: columns, rows: rows) { _, _ in value }
    }

    @Test func southOfTheEquator() throws {
        let trial = try Trial().kept
        let south = flat(60, 60).with { ($0.crs, $0.top) = ("EPSG:32733", 6_200_000) }
        try trial.scene("a", ["B08": south])
        trial.show("nir")
        let area = try Area(
            covering: Bounds(left: 600_201, bottom: 6_199_799, right: 600_299, top: 6_199_899),
            in: CRS("EPSG:32733"))
        #expect(area.south < -34 && area.north < -34)
        trial.request.area = area
        let job = try trial.job()
        #expect(job.plan.grid.crs == CRS("EPSG:32733"))
        // The box around the box in degrees is a little larger.
        #expect(job.plan.grid.bounds.left <= 600_200 && job.plan.grid.bounds.left >= 600_180)
        #expect(job.plan.grid.bounds.top >= 6_199_900 && job.plan.grid.bounds.top <= 6_199_920)
        let outcome = try trial.run()
        #expect(outcome.product.counts[.valid] == outcome.product.counts.total)
    }

    /// Two scenes on the two sides of 180°, each in its own zone.
    private func pacific(_ change: (inout MosaicRequest) -> Void) throws -> (Trial, Outcome) {
        let trial = try Trial().kept
        for (zone, longitude, value) in [("EPSG:32660", 179.996, 1000.0), ("EPSG:32601", -179.9995, 3000)] {
            let corner = try #require(
                try CoordinateTransform(from: .wgs84, to: CRS(zone)).transform(x: longitude, y: -0.001 + 10))
            try trial.scene(
                zone.replacing(":", with: "-"),
                [
                    "B08": flat(40, 30, value).with {
                        ($0.crs, $0.left, $0.top) = (zone, corner.x.rounded(), corner.y.rounded())
                    }
                ])
        }
        trial.show("nir")
        change(&trial.request)
        return (trial, try trial.run())
    }

    @Test func acrossTheAntimeridianInMetres() throws {
        let box = Area(west: 179.997, south: 9.997, east: -179.997, north: 9.998)
        let (_, outcome) = try pacific { $0.area = box }
        // 0.006° at 10° north are 658 m.
        #expect((64...70).contains(outcome.summary.columns) && (10...13).contains(outcome.summary.rows))
        let values = try outcome.values()
        #expect(values.contains { abs($0 - 0.1) < 1e-6 } && values.contains { abs($0 - 0.3) < 1e-6 })
    }

    @Test func acrossTheAntimeridianInDegrees() throws {
        let box = Area(west: 179.997, south: 9.997, east: -179.997, north: 9.998)
        for area in [box, nil] {
            let (trial, outcome) = try pacific {
                $0.crs = "EPSG:4326"
                $0.resolution = 0.0001
                $0.area = area
            }
            let grid = try trial.job().plan.grid
            #expect(grid.columns < 200, "\(grid.columns) columns round the globe")
            let values = try outcome.values()
            #expect(values.contains { abs($0 - 0.1) < 1e-6 } && values.contains { abs($0 - 0.3) < 1e-6 })
        }
    }

    @Test func anAreaBesideAllScenesIsASentence() throws {
        let trial = try Trial().kept
        try trial.scene("a", ["B08": flat(8, 8)])
        trial.show("nir")
        trial.request.area = Area(west: 0, south: 0, east: 1, north: 1)
        #expect(sentence { try trial.job() }.contains("lies outside all scenes"))
    }

    @Test func cornersInAnyOrderAreOneJob() throws {
        let trial = try Trial().kept
        try trial.scene("a", ["B08": flat(64, 64)])
        trial.show("nir")
        let area = try Area(
            covering: Bounds(left: 600_100, bottom: 5_099_700, right: 600_300, top: 5_099_900),
            in: CRS("EPSG:32633"))
        let corners = [
            (area.south, area.west), (area.north, area.east), (area.south, area.east),
            (area.north, area.west),
        ]
        let grids = try [(0, 1), (1, 0), (2, 3), (3, 2)].map { a, b in
            trial.request.area = Area(
                cornerLatitude: corners[a].0, longitude: corners[a].1, otherLatitude: corners[b].0,
                otherLongitude: corners[b].1)
            return try trial.job().plan.grid
        }
        #expect(Set(grids).count == 1 && grids[0].columns < 30)
    }

    @Test func aResolutionSnapsToItsMultiples() throws {
        let trial = try Trial().kept
        try trial.scene("a", ["B08": flat(8, 8).moved(x: 3, y: 4)])
        trial.show("nir")
        trial.request.crs = "EPSG:32633"
        let grid = try trial.job().plan.grid
        #expect((grid.originX, grid.originY) == (600_000, 5_100_010) && (grid.columns, grid.rows) == (9, 9))
        // 8 × 8 centres lie in the scene; the lower left one has 0.7 · 0.6 of the weight, too little.
        let counts = try trial.run().product.counts
        #expect(counts[.valid] == 63 && counts[.nodata] == 1 && counts[.outside] == 17)
    }
}

/// Mosaics of odd shapes.
@Suite struct ShapeTests {
    private func trial(_ bands: TinyBand...) throws -> Trial {
        let trial = try Trial().kept
        for (number, band) in bands.enumerated() { try trial.scene("s\(number)", ["B08": band]) }
        trial.show("nir")
        trial.request.png = true
        return trial
    }

    private func flat(_ columns: Int, _ rows: Int, _ value: Double = 2000) -> TinyBand {
        TinyBand(columns: columns, rows: rows) { _, _ in value }
    }

    @Test func onePixel() throws {
        let trial = try trial(flat(1, 1))
        let outcome = try trial.run()
        #expect(equal(try outcome.values(), [0.2]))
        #expect(outcome.summary.state == .done && outcome.product.counts[.valid] == 1)
        #expect(
            try trial.names() == [
                "mosaic.json", "provenance.json", "provenance.tif", "shown.pgw", "shown.png",
                "shown.png.aux.xml",
                "shown.qml", "shown.tif",
            ])
        let picture = try Dataset(opening: "\(outcome.folder)/shown.png").floats()
        // 1 + floor(254 · 0.2 + 0.5)
        #expect(picture == [52])
    }

    @Test func oneRowAndOneColumn() throws {
        let wide = try trial(TinyBand(columns: 1100, rows: 1) { x, _ in Double(1000 + x) })
        #expect(equal(try wide.run().values(), (0..<1100).map { Float(1000 + $0) * 1e-4 }))
        let tall = try trial(TinyBand(columns: 1, rows: 1100) { _, y in Double(1000 + y) })
        #expect(equal(try tall.run().values(), (0..<1100).map { Float(1000 + $0) * 1e-4 }))
    }

    @Test func twoScenesCornerToCornerLeaveHalfEmpty() throws {
        let trial = try trial(flat(8, 6), flat(8, 6, 4000).moved(x: 80, y: -60))
        let outcome = try trial.run()
        let expected = (0..<12).flatMap { y in
            (0..<16).map { x -> Float in
                if x < 8, y < 6 { return 0.2 }
                return x >= 8 && y >= 6 ? 0.4 : .nan
            }
        }
        #expect(equal(try outcome.values(), expected))
        #expect(outcome.product.counts[.valid] == 96 && outcome.product.counts[.outside] == 96)
    }

    /// Cells between far scenes have no task, no block and no picture.
    @Test func farScenesLeaveCellsWithoutTasks() throws {
        let trial = try trial(flat(8, 8), flat(8, 8, 4000).moved(x: 20_000, y: -12_000))
        let outcome = try trial.run()
        #expect(outcome.summary.columns == 2008 && outcome.summary.rows == 1208 && outcome.summary.tasks == 2)
        let values = try outcome.values()
        #expect(values[0] == 2000 * Float(1e-4) && values[values.count - 1] == 4000 * Float(1e-4))
        #expect(values.count { !$0.isNaN } == 128)
        #expect(outcome.product.counts[.outside] == 2008 * 1208 - 128)
        #expect(abs(outcome.product.mean! - 0.3) < 1e-6)
        let picture = try Dataset(opening: "\(outcome.folder)/shown.png").floats()
        #expect(picture.count { $0 != 0 } == 128)
    }

    @Test func nothingButNodata() throws {
        let trial = try trial(flat(700, 8, 0))
        let outcome = try trial.run()
        #expect(outcome.product.counts[.nodata] == 5600)
        #expect(outcome.product.mean == nil && outcome.product.minimum == nil)
        #expect(try outcome.values().allSatisfy(\.isNaN))
        #expect(try Dataset(opening: "\(outcome.folder)/shown.png").floats().allSatisfy { $0 == 0 })
    }
}

extension Dataset {
    /// Band 1 as float32.
    func floats() throws -> [Float] {
        let band = try band(1)
        let (width, height) = (size.columns, size.rows)
        var pixels = [Float](repeating: 0, count: width * height)
        let done = GDALRasterIO(
            band, GF_Read, 0, 0, Int32(width), Int32(height), &pixels, Int32(width), Int32(height),
            GDT_Float32, 0, 0)
        guard done == CE_None else { throw RasterError("cannot read \(address) back") }
        return pixels
    }
}
