import CGDAL
import Foundation
import Mosaic
import Testing

@testable import Engine
@testable import Raster

/// RASTER.md, Radiometry and Indices, pixel by pixel.
@Suite struct RadiometryRulesTests {
    /// NDVI of one row of red and near infrared DN.
    private func ndvi(
        red: [Double], nir: [Double], nodata: Double? = nil, change: (inout MosaicRequest) -> Void = { _ in }
    ) throws -> Outcome {
        let trial = try Trial()
        try trial.scene(
            "a",
            [
                "B04": TinyBand(red).with { $0.nodata = nodata },
                "B08": TinyBand(nir).with { $0.nodata = nodata },
            ])
        change(&trial.request)
        return try trial.kept.run()
    }

    @Test func theCheckOfTheRules() throws {
        let right = try ndvi(red: [1400], nir: [4000]) { $0.offset = -1000 }
        #expect(equal(try right.values(), [2600.0 / 3400]))
        let forgotten = try ndvi(red: [1400], nir: [4000])
        #expect(equal(try forgotten.values(), [2600.0 / 5400]))
        let twice = try ndvi(red: [1400], nir: [4000]) {
            $0.offset = -2000
            $0.clamp = .keep
        }
        #expect(equal(try twice.values(), [2600.0 / 1400]))
    }

    @Test func nodataIsNodataBeforeTheOffset() throws {
        let outcome = try ndvi(
            red: [0, 65_535, 500, 7, 500, 2000], nir: [500, 500, 0, 500, 7, 6000], nodata: 7
        ) {
            $0.offset = 1000
        }
        #expect(equal(try outcome.values(), [.nan, .nan, .nan, .nan, .nan, 0.4]))
        #expect(try outcome.reasons() == [.nodata, .nodata, .nodata, .nodata, .nodata, .valid])
        #expect(outcome.product.counts[.nodata] == 5 && outcome.product.counts.total == 6)
        #expect(outcome.product.minimum == Double(Float(0.4)) && outcome.product.files == ["ndvi.tif"])
    }

    @Test func negativeReflectanceIsClampedOrKept() throws {
        let (red, nir): ([Double], [Double]) = ([900, 900, 1000, 900], [3000, 900, 1000, 1050])
        let zero = try ndvi(red: red, nir: nir) { $0.offset = -1000 }
        // −100 → 0: (2000 − 0) / 2000; both 0: no denominator; (50 − 0) / 50.
        #expect(equal(try zero.values(), [1, .nan, .nan, 1]))
        #expect(try zero.reasons() == [.valid, .undefined, .undefined, .valid])
        let keep = try ndvi(red: red, nir: nir) {
            $0.offset = -1000
            $0.clamp = .keep
        }
        // 2100 / 1900; −200, 0 and −50 are no denominators.
        #expect(equal(try keep.values(), [2100.0 / 1900, .nan, .nan, .nan]))
        #expect(try keep.reasons() == [.valid, .undefined, .undefined, .undefined])
    }

    @Test func expressionsAreFloatReflectance() throws {
        let trial = try Trial()
        try trial.scene(
            "a",
            [
                "B02": TinyBand([1200, 0, 1000]), "B04": TinyBand([1400, 1400, 1000]),
                "B08": TinyBand([4000, 4000, 1000]),
            ])
        trial.request.offset = -1000
        trial.request.indices = ["evi", "savi"]
        trial.request.expressions = [NamedExpression(name: "ratio", formula: "sqrt(nir - 0.2) / red")]
        trial.request.range = ValueRange(low: -1, high: 1)
        let outcome = try trial.run()
        // 2.5 · 0.26 / (0.3 + 0.24 − 0.15 + 1); SAVI 1.5 · 0.26 / 0.84; √0.1 / 0.04. All black: 0 / 1, 0 /
        // 0.5, √−0.2.
        #expect(equal(try outcome.values("evi"), [0.65 / 1.39, .nan, 0], tolerance: 1e-6))
        #expect(equal(try outcome.values("savi"), [0.39 / 0.84, 0.39 / 0.84, 0], tolerance: 1e-6))
        #expect(equal(try outcome.values("ratio"), [7.905694, 7.905694, .nan], tolerance: 1e-5))
        #expect(try outcome.reasons(of: 0) == [.valid, .nodata, .valid])
        #expect(try outcome.reasons(of: 2) == [.valid, .valid, .undefined])
    }

    @Test func floatSamplesAreReflectanceAlready() throws {
        let trial = try Trial()
        try trial.scene(
            "a",
            [
                "B04": TinyBand([0.04, 0, -9999], type: GDT_Float32).with { $0.nodata = -9999 },
                "B08": TinyBand([0.30, 0.5, 0.5], type: GDT_Float32).with { $0.nodata = -9999 },
            ])
        let outcome = try trial.kept.run()
        #expect(equal(try outcome.values(), [0.26 / 0.34, 1, .nan], tolerance: 1e-6))
    }

    @Test func severalIndicesAreAsEachAlone() throws {
        let trial = try Trial()
        let noise = { (seed: Int) in
            TinyBand(columns: 64, rows: 40) { x, y in Double((x * 37 + y * 91) * seed % 7001) }
        }
        try trial.scene("a", ["B03": noise(3), "B04": noise(5), "B08": noise(11)])
        trial.request.png = true
        trial.request.provenance = false
        trial.request.indices = ["ndvi", "ndwi"]
        let both = try trial.run(into: "both")
        for name in ["ndvi", "ndwi"] {
            trial.request.indices = [name]
            let alone = try trial.run(into: name)
            for file in ["\(name).tif", "\(name).png"] {
                let (one, other) = try (alone.bytes(file), both.bytes(file))
                #expect(one == other)
            }
        }
    }
}

extension Trial {
    /// Without classification nobody is warned of one.
    var kept: Trial {
        request.mask = .none
        return self
    }
}

/// RASTER.md, Selection: which scene gives the pixel.
@Suite struct SelectionRulesTests {
    private static let nan = Float.nan
    /// Reflectance of four pixels by rule, from the rows in `scenes` by hand.
    private static let expected: [(SelectionRule, [Float])] = [
        (.first, [0.1, 0.2, nan, 0.4]), (.last, [0.8, 0.5, nan, 0.3]), (.min, [0.1, 0.2, nan, 0.1]),
        (.max, [0.8, 0.5, nan, 0.4]), (.mean, [0.35, 0.35, nan, 0.3]), (.median, [0.25, 0.35, nan, 0.35]),
        (.count, [4, 2, nan, 4]), (.newest, [0.2, 0.5, nan, 0.1]), (.leastCloud, [0.3, 0.2, nan, 0.4]),
    ]

    private static func item(day: Int, cloud: Double) -> String {
        """
        {"type": "Feature", "stac_version": "1.0.0", "id": "S2A_33TWM_202308\(day)_0_L2A",
         "properties": {"datetime": "2023-08-\(day)T09:57:57Z", "eo:cloud_cover": \(cloud),
         "earthsearch:boa_offset_applied": true}, "assets": {"nir": {"href": "B08.tif", "roles": ["data"]}}}
        """
    }

    private func trial() throws -> Trial {
        let trial = try Trial().kept
        let scenes: [(String, [Double], Int, Double)] = [
            ("a", [1000, 0, 0, 4000], 12, 40), ("b", [3000, 2000, 0, 4000], 11, 5),
            ("c", [2000, 5000, 0, 1000], 19, 20), ("d", [8000, 0, 0, 3000], 15, 30),
        ]
        for (name, row, day, cloud) in scenes {
            try trial.scene(name, ["B08": TinyBand(row)], item: Self.item(day: day, cloud: cloud))
        }
        trial.show("nir")
        return trial
    }

    @Test(arguments: expected) func byRule(rule: SelectionRule, values: [Float]) throws {
        let trial = try trial()
        trial.request.select = rule
        let outcome = try trial.run()
        #expect(equal(try outcome.values(), values, tolerance: 1e-6))
        #expect(try outcome.reasons() == [.valid, .valid, .nodata, .valid])
        #expect(outcome.product.counts[.valid] == 3 && outcome.product.counts[.nodata] == 1)
    }

    @Test func provenanceNamesTheSceneOrHowMany() throws {
        let trial = try trial()
        // Plan order: as given; newest is c, d, a, b.
        for (rule, scenes) in [
            (SelectionRule.first, [1, 2, 0, 1]), (.min, [1, 2, 0, 3]), (.max, [4, 3, 0, 1]),
            (.mean, [4, 2, 0, 4]),
            (.newest, [1, 1, 0, 1]),
        ] as [(SelectionRule, [UInt16])] {
            trial.request.select = rule
            #expect(try trial.run().scenes() == scenes, "\(rule)")
        }
    }

    @Test func aRuleWithoutItsFigureIsASentence() throws {
        let trial = try Trial().kept
        try trial.scene("bare", ["B08": TinyBand([1000])])
        trial.show("nir")
        trial.request.select = .newest
        #expect(sentence { try trial.job() }.contains("scene bare has no acquisition date"))
        trial.request.select = .leastCloud
        #expect(sentence { try trial.job() }.contains("scene bare has no cloud figure"))
        trial.request.select = .count
        trial.request.range = nil
        trial.request.expressions = []
        #expect(sentence { try trial.job() }.contains("--select count needs --range"))
    }

    @Test func theWorstReasonIsKeptWhereNoSceneGivesAValue() throws {
        let trial = try Trial()
        let scl: (Double...) -> TinyBand = { TinyBand($0, type: GDT_Byte) }
        // Pixels: nodata twice; nodata, then cloud; cloud, then black; black, then nodata; black, then a
        // value.
        try trial.scene(
            "a",
            [
                "B04": TinyBand([0, 0, 500, 1000, 1000]), "B08": TinyBand([0, 500, 500, 1000, 1000]),
                "SCL": scl(4, 4, 9, 4, 4),
            ])
        try trial.scene(
            "b",
            [
                "B04": TinyBand([0, 2000, 1000, 0, 2000]), "B08": TinyBand([0, 2000, 1000, 0, 4000]),
                "SCL": scl(4, 9, 4, 4, 4),
            ])
        trial.request.offset = -1000
        for rule in [SelectionRule.first, .last, .mean, .median, .min, .max, .count] {
            trial.request.select = rule
            trial.request.range = ValueRange(low: 0, high: 3)
            let outcome = try trial.run()
            #expect(try outcome.reasons() == [.nodata, .masked, .undefined, .undefined, .valid], "\(rule)")
            #expect(try outcome.scenes().prefix(4) == [0, 0, 0, 0])
        }
    }
}

/// RASTER.md, Clouds.
@Suite struct MaskRulesTests {
    private static let classes = (0...12).map(Double.init) + [255]

    private func trial() throws -> Trial {
        let trial = try Trial()
        let same = { (value: Double) in TinyBand(Self.classes.map { _ in value }) }
        try trial.scene(
            "a",
            [
                "B03": same(3000), "B04": same(1000), "B08": same(3000), "B11": same(1000),
                "SCL": TinyBand(Self.classes, type: GDT_Byte),
            ])
        return trial
    }

    private func masked(_ reasons: [Reason]) -> [Double] {
        zip(Self.classes, reasons).filter { $0.1 == .masked }.map(\.0)
    }

    @Test func byDefault() throws {
        let outcome = try trial().run()
        #expect(masked(try outcome.reasons()) == [0, 1, 3, 8, 9, 10, 12, 255])
        #expect(try outcome.values()[4] == 0.5)
        #expect(outcome.product.counts[.masked] == 8 && outcome.product.counts[.valid] == 6)
    }

    @Test func asListedOrNotAtAll() throws {
        let trial = try trial()
        trial.request.mask = .classes([11, 2])
        #expect(masked(try trial.run().reasons()) == [2, 11, 12, 255])
        trial.request.mask = .none
        #expect(masked(try trial.run().reasons()) == [])
    }

    @Test func snowIndicesNeverMaskSnow() throws {
        let trial = try trial()
        trial.request.mask = .classes([9, 11])
        trial.request.indices = ["ndvi", "ndsi"]
        let outcome = try trial.run()
        #expect(masked(try outcome.reasons(of: 0)) == [9, 11, 12, 255])
        #expect(masked(try outcome.reasons(of: 1)) == [9, 12, 255])
    }

    @Test func aSceneWithoutClassificationGoesOnAndSaysSo() throws {
        let trial = try Trial()
        try trial.scene("a", ["B04": TinyBand([1000]), "B08": TinyBand([3000])])
        let outcome = try trial.run()
        #expect(try outcome.values() == [0.5])
        #expect(outcome.summary.warnings.contains { $0.contains("no scene classification (SCL)") })
    }

    @Test func theBufferIsADiscOfMetresAndLeavesTheEdgeOfTheDataAlone() throws {
        let trial = try Trial()
        let flat = { (value: Double) in TinyBand(columns: 15, rows: 15) { _, _ in value } }
        let scl = TinyBand(columns: 15, rows: 15) { x, y in (x, y) == (7, 7) ? 8 : (x, y) == (0, 0) ? 0 : 4 }
        try trial.scene("a", ["B04": flat(1000), "B08": flat(3000), "SCL": scl.with { $0.type = GDT_Byte }])
        trial.request.maskBuffer = 30
        let outcome = try trial.run()
        let reasons = try outcome.reasons()
        // 29 lattice points lie within 3 of a point; class 0 hides its own pixel only.
        for place in reasons.indices {
            let (x, y) = (place % 15, place / 15)
            let isNear = (x - 7) * (x - 7) + (y - 7) * (y - 7) <= 9 || place == 0
            #expect(reasons[place] == (isNear ? .masked : .valid), "(\(x), \(y))")
        }
        #expect(outcome.product.counts[.masked] == 30)
    }

    /// A cloud in the next block reaches over the border.
    @Test func theBufferCrossesBlocks() throws {
        let trial = try Trial()
        let flat = { (value: Double) in TinyBand(columns: 520, rows: 3) { _, _ in value } }
        let scl = TinyBand(columns: 520, rows: 3) { x, y in (x, y) == (513, 1) ? 9 : 4 }
        try trial.scene("a", ["B04": flat(1000), "B08": flat(3000), "SCL": scl.with { $0.type = GDT_Byte }])
        trial.request.maskBuffer = 40
        let row = try trial.run().reasons()[520..<1040]
        #expect(row.enumerated().filter { $0.element == .masked }.map(\.offset) == Array(509...517))
    }

    @Test func theClipKeepsPixelsWhoseCentresLieInside() throws {
        let trial = try Trial().kept
        let flat = { (value: Double) in
            TinyBand(columns: 6, rows: 5) { _, _ in value }.with {
                ($0.crs, $0.left, $0.top, $0.pixel) = ("EPSG:4326", 10, 50, 0.001)
            }
        }
        try trial.scene("a", ["B04": flat(1000), "B08": flat(3000)])
        // Centres lie at 10.0005, 10.0015, …; the box holds those of columns 1 to 3 and rows 2 and 3.
        let box =
            "[[10.0012,49.9978],[10.0036,49.9978],[10.0036,49.9964],[10.0012,49.9964],[10.0012,49.9978]]"
        let path = "\(trial.folder)/clip.geojson"
        try "{\"type\":\"Polygon\",\"coordinates\":[\(box)]}".write(
            toFile: path, atomically: true, encoding: .utf8)
        trial.request.clip = path
        let outcome = try trial.run()
        let inside = try outcome.reasons().enumerated().filter { $0.element == .valid }.map(\.offset)
        #expect(inside == [13, 14, 15, 19, 20, 21])
        #expect(outcome.product.counts[.outside] == 24)
        try "{\"type\":\"Point\",\"coordinates\":[10,50]}".write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect(sentence { try trial.run() }.contains("the clip holds no polygon"))
    }
}
