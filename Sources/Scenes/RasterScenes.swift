import Mosaic
import Raster

/// A single raster as a scene: bands by `--bands`, by their descriptions, or by the file's own name.
enum RasterScenes {
    /// - Throws: `SceneError` when nothing tells which band is which.
    static func draft(_ info: RasterInfo, bands: [String: Int], called address: String) throws -> SceneDraft {
        let path = info.file.address
        let name = SourceAddress.name(of: path)
        let isMosaic = path.contains("ai-ready-mosaics")
        var draft = SceneDraft(
            address: address, about: Acquisition(id: stem(name), sensor: isMosaic ? .earthDaily : .plain))
        var numbers: [String: Int] = [:]
        if !bands.isEmpty {
            numbers = try checked(bands, count: info.bands.count, address)
        } else if let described = described(info) {
            numbers = described.numbers
            if !isMosaic { draft.about.sensor = described.sensor }
        } else if info.bands.count == 1, let sensor = BandFileName.sensor(of: [name]),
            let file = BandFileName(name, sensor: sensor)
        {
            numbers = [file.band: 1]
            draft.about.sensor = sensor
        } else if isMosaic, info.bands.count >= 4 {
            numbers = ["blue": 1, "green": 2, "red": 3, "nir": 4]
            draft.warnings.append("its bands have no names: taken for blue, green, red and nir in this order")
        } else {
            let count = info.bands.count == 1 ? "its band" : "its \(info.bands.count) bands"
            throw SceneError(
                "cannot read scene \(address.onOneLine): nothing names \(count); say which is which, as in "
                    + "--bands red=1,nir=2")
        }
        for (band, number) in numbers {
            draft.sources[band] = SceneDraft.Source(
                address: path, number: number, isLocal: SourceAddress.isLocal(path))
        }
        return draft
    }

    private static func checked(_ bands: [String: Int], count: Int, _ address: String) throws -> [String: Int]
    {
        var result: [String: Int] = [:]
        for (name, number) in bands.sorted(by: { $0.key < $1.key }) {
            let lower = name.lowercased()
            guard
                let band = lower == BandFileName.classification
                    ? lower : BandName.common(name, sensor: .sentinel2)
            else {
                throw SceneError(
                    "--bands names \(name.quoted), which is no band; the names are "
                        + "\((BandName.common + [BandFileName.classification]).joined(separator: ", "))")
            }
            guard (1...count).contains(number) else {
                throw SceneError(
                    "cannot read scene \(address.onOneLine): --bands asks for band \(number) as \(name), "
                        + "and it has \(count); correct --bands")
            }
            result[band] = number
        }
        return result
    }

    /// Bands by their descriptions, when at least one is a band's name; `B5` alone could be two sensors'.
    private static func described(_ info: RasterInfo) -> (numbers: [String: Int], sensor: Scene.Sensor)? {
        let names = info.bands.map { $0.description ?? "" }
        guard let sensor = BandFileName.sensor(of: names) else { return nil }
        var numbers: [String: Int] = [:]
        for (index, name) in names.enumerated() {
            let band =
                name.lowercased() == BandFileName.classification
                ? BandFileName.classification : BandName.common(name, sensor: sensor)
            if let band, numbers[band] == nil { numbers[band] = index + 1 }
        }
        return numbers.isEmpty ? nil : (numbers, sensor)
    }

    private static func stem(_ name: String) -> String {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
        return String(name[..<dot])
    }
}
