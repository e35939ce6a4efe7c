import Mosaic

/// Which band a file holds, by its name: `B04.tif`, `T33UUU_20170216T102101_B04.jp2`, `red.tif`,
/// `LC08_…_SR_B4.TIF`, `…_SCL_20m.jp2`.
struct BandFileName: Equatable {
    /// The name that stands for the scene classification beside the common band names.
    static let classification = "scl"

    /// A common band name, or `scl`.
    var band: String
    /// Metres, where the name says so (`_20m`).
    var resolution: Int?
    /// The name without band and resolution; files of one scene share it.
    var prefix: String

    /// nil when the name holds no band of that sensor.
    init?(_ fileName: String, sensor: Scene.Sensor) {
        let stem = Self.stem(fileName)
        var tokens = stem.split(whereSeparator: { "_-. ".contains($0) }).map { String($0) }
        let isMask = tokens.contains {
            ["MSK", "MASK", "QA", "DETFOO", "QUALIT", "ST"].contains($0.uppercased())
        }
        guard !isMask else { return nil }
        if let last = tokens.last, let match = last.wholeMatch(of: /([0-9]{2})m/), let metres = Int(match.1) {
            resolution = metres
            tokens.removeLast()
        }
        guard let (found, index) = Self.find(in: tokens, sensor: sensor, stem: stem) else { return nil }
        band = found
        tokens.remove(at: index)
        prefix = tokens.joined(separator: "_")
    }

    private static func find(in tokens: [String], sensor: Scene.Sensor, stem: String) -> (String, Int)? {
        for index in tokens.indices.reversed() {
            let token = tokens[index]
            if sensor == .sentinel2, token.uppercased() == "SCL" { return (classification, index) }
            if sensor == .landsat {
                let isReflectance = index > 0 && tokens[index - 1].uppercased() == "SR"
                guard isReflectance || BandName.common.contains(token.lowercased()) else { continue }
                if let band = landsatBand(token, of: stem) { return (band, index) }
            } else if let band = BandName.common(token, sensor: sensor) {
                return (band, index)
            }
        }
        return nil
    }

    /// Landsat 4, 5 and 7 count their bands otherwise than 8 and 9 (USGS, Landsat Collection 2 band
    /// designations).
    private static func landsatBand(_ token: String, of stem: String) -> String? {
        guard stem.uppercased().firstMatch(of: /^L[TE]0[457]_/) != nil else {
            return BandName.common("SR_\(token)", sensor: .landsat)
                ?? BandName.common(token, sensor: .landsat)
        }
        let thematicMapper = [
            "B1": "blue", "B2": "green", "B3": "red", "B4": "nir", "B5": "swir16", "B7": "swir22",
        ]
        return thematicMapper[token.uppercased()] ?? BandName.common(token, sensor: .plain)
    }

    /// Whose bands a set of file names holds; nil when `B4` and its like could be Sentinel-2's or Landsat's.
    static func sensor(of names: [String]) -> Scene.Sensor? {
        let stems = names.map { stem($0).uppercased() }
        if stems.contains(where: { $0.firstMatch(of: /(^|_)SR_B[0-9]|^L[COTEM]0[0-9]_/) != nil }) {
            return .landsat
        }
        let tokens = stems.flatMap { $0.split(whereSeparator: { "_-. ".contains($0) }) }
        if tokens.contains(where: {
            $0.wholeMatch(of: /B0[0-9]|B1[0-2]|B8A|SCL|S2[A-Z]|T[0-9]{2}[A-Z]{3}/) != nil
        }) {
            return .sentinel2
        }
        return tokens.contains { $0.wholeMatch(of: /B[0-9]/) != nil } ? nil : .plain
    }

    /// Whether a name ends like a raster's.
    static func isRaster(_ name: String) -> Bool {
        ["tif", "tiff", "jp2", "j2k", "img", "vrt", "dat", "bil"].contains(
            name.split(separator: ".").last?.lowercased() ?? "") && name.contains(".")
    }

    private static func stem(_ name: String) -> String {
        let file = name.split(separator: "/").last.map { String($0) } ?? name
        guard let dot = file.lastIndex(of: "."), isRaster(file) else { return file }
        return String(file[..<dot])
    }
}
