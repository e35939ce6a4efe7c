import Mosaic

/// What names and metadata tell of an acquisition.
struct Acquisition: Equatable {
    /// A name to show: the product's, the item's or the folder's.
    var id: String
    var sensor: Scene.Sensor
    /// `L1C`, `L2A`, …
    var level: String?
    /// Seconds since 1970, UTC.
    var acquired: Double?
    /// Percent.
    var cloudCover: Double?
    /// Sentinel-2 tile, `33TWM`.
    var tile: String?
    /// `S2A_20230815T095031`, see `ProductName.datatake`.
    var datatake: String?
    /// The beginning of the data strip: pieces of one datatake that complete each other differ in it.
    var strip: String?
    /// When it was processed, in seconds since 1970; later ones replace earlier ones of one baseline.
    var generated: Double?
    /// Processing baseline, 5.09.
    var baseline: Double?

    /// A number that can be a percentage; metadata say NaN and −1 for what they do not know.
    static func percent(_ value: Double) -> Double? { (0...100).contains(value) ? value : nil }

    /// A number that can be a processing baseline.
    static func baseline(_ value: Double) -> Double? { (0..<100).contains(value) ? value : nil }
}

/// A scene as names and metadata tell it, before any raster is opened.
struct SceneDraft: Equatable {
    /// Where one band lies and what its numbers mean.
    struct Source: Equatable {
        var address: String
        /// The band's number in its file, from 1.
        var number = 1
        /// Read from this machine's disks rather than over a network.
        var isLocal: Bool
        var evidence = RadiometryEvidence()
    }

    /// What messages call it: the address that the user gave.
    var address: String
    var about: Acquisition
    /// By common band name, and `scl` for the classification.
    var sources: [String: Source] = [:]
    var warnings: [String] = []
}
