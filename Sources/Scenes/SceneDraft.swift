import Mosaic

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
    var id: String
    var sensor: Scene.Sensor
    var level: String?
    /// Seconds since 1970, UTC.
    var acquired: Double?
    /// Percent.
    var cloudCover: Double?
    var tile: String?
    /// `S2A_20230815T095031`, see `ProductName.datatake`.
    var datatake: String?
    /// The beginning of the data strip: pieces of one datatake that complete each other differ in it.
    var strip: String?
    /// When it was processed; later ones replace earlier ones of one baseline.
    var generated: String?
    var baseline: Double?
    /// By common band name, and `scl` for the classification.
    var sources: [String: Source] = [:]
    var warnings: [String] = []
}
