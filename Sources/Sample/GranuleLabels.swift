import Foundation
import Mosaic

/// What is drawn in a granule, counted while it was drawn: the truth to check a mosaic against.
struct GranuleLabels: Codable, Hashable, Sendable {
    /// Says who wrote the file; `--force` replaces only folders whose granules carry it.
    static let generator = "arbutus sample"

    var generator = Self.generator
    var version = ArbutusVersion.string
    var granule: String
    var seed: UInt32
    /// Pixels of 20 m by SCL class, indexed by class 0 to 11; they sum to all pixels.
    var sclPixels: [Int]
    /// Shares of all pixels that are not nodata, 0 to 1, by name.
    var shares: [String: Double]
    /// Percent of the pixels that are not nodata in classes 8, 9 and 10.
    var cloudCover: Double
    var ndvi: IndexTruth

    /// The NDVI of the granule's clear 10 m pixels (SCL outside 0, 1, 3, 8, 9 and 10), from its stored
    /// numbers.
    struct IndexTruth: Codable, Hashable, Sendable {
        var validPixels: Int
        var mean: Double
    }

    static let classNames = [
        "nodata", "saturated", "dark", "cloudShadow", "vegetation", "bareSoil", "water", "unclassified",
        "cloudMediumProbability", "cloudHighProbability", "cirrus", "snow",
    ]

    init(granule: String, seed: UInt32, sclPixels: [Int], ndviSum: Double, ndviPixels: Int) {
        self.granule = granule
        self.seed = seed
        self.sclPixels = sclPixels
        let seen = Double(max(1, sclPixels.dropFirst().reduce(0, +)))
        shares = Dictionary(
            uniqueKeysWithValues: (1..<12).map {
                (Self.classNames[$0], (Double(sclPixels[$0]) / seen * 1e6).rounded() / 1e6)
            })
        cloudCover = Self.percent(sclPixels[8] + sclPixels[9] + sclPixels[10], of: Int(seen))
        ndvi = IndexTruth(validPixels: ndviPixels, mean: ndviPixels == 0 ? 0 : ndviSum / Double(ndviPixels))
    }

    /// A share in percent with six decimals, as Sen2Cor writes them.
    static func percent(_ part: Int, of whole: Int) -> Double {
        (Double(part) / Double(max(1, whole)) * 1e8).rounded() / 1e6
    }

    /// The class's share of the pixels that are not nodata, in percent; for class 0 of all pixels.
    func percent(_ sclClass: Int) -> Double {
        let all = sclPixels.reduce(0, +)
        return Self.percent(sclPixels[sclClass], of: sclClass == 0 ? all : all - sclPixels[0])
    }
}
