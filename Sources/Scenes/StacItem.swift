import Mosaic
import Raster

/// A STAC item (1.0 or 1.1): what it says about an acquisition, and the places of its bands. Pure: it opens
/// nothing.
struct StacItem: Equatable {
    /// One band in one asset.
    struct Place: Equatable {
        var assetKey: String
        var href: String
        /// The band's number in the file, from 1.
        var number: Int
        var scale: Double?
        var offset: Double?
        var isFloat: Bool
        /// Better places come first: single bands, then no suffix (`red` before `red_20m` before `red-jp2`).
        var rank: Int
    }

    var about: Acquisition
    /// `earthsearch:boa_offset_applied`.
    var isOffsetApplied: Bool?
    /// Places by common band name (and `scl`), best first.
    var places: [String: [Place]]

    /// Whether a JSON document is an item at all.
    static func isItem(_ json: Json) -> Bool {
        json["type"]?.string == "Feature" && json["assets"]?.members != nil
    }

    /// - Throws: `SceneError` when it is no item, or it offers no band that has a name.
    init(_ json: Json, called name: String) throws {
        guard Self.isItem(json), let assets = json["assets"]?.members else {
            throw SceneError(
                "cannot read \(name.onOneLine): no STAC item (a Feature with assets); give an item or a "
                    + "folder of bands")
        }
        let properties = json["properties"]
        let collection = json["collection"]?.string ?? ""
        about = Self.acquisition(json, collection: collection, called: name)
        isOffsetApplied = properties?["earthsearch:boa_offset_applied"]?.bool
        places = Self.places(assets, sensor: about.sensor)
        if about.level == nil, about.sensor == .sentinel2, places[BandFileName.classification] != nil {
            about.level = "L2A"
        }
        if !places.keys.contains(where: { $0 != BandFileName.classification }) {
            throw SceneError(
                "cannot use the item \(about.id) in \(name.onOneLine): none of its assets is a band with a "
                    + "known name (\(assets.prefix(8).map { $0.key.onOneLine }.joined(separator: ", ")))")
        }
    }

    private static func acquisition(_ json: Json, collection: String, called name: String) -> Acquisition {
        let properties = json["properties"]
        let id = json["id"]?.string.map { $0.onOneLine } ?? SourceAddress.name(of: name)
        var about = Acquisition(id: id, sensor: sensor(collection: collection, properties: properties))
        let product = ProductName(
            properties?[first: "s2:product_uri", "sentinel2:product_title", "s2:product_title"]?.string
                ?? (about.sensor == .sentinel2 ? id : ""))
        let type = properties?[first: "s2:product_type", "sentinel2:product_type"]?.string ?? ""
        about.level = type.hasSuffix("1C") ? "L1C" : type.hasSuffix("2A") ? "L2A" : product.level
        if about.level == nil { about.level = properties?["landsat:correction"]?.string?.onOneLine }
        about.acquired = properties?[first: "datetime", "start_datetime"]?.string.flatMap(Timestamp.seconds)
        about.cloudCover = properties?["eo:cloud_cover"]?.number.flatMap(Acquisition.percent)
        about.tile = tile(properties) ?? product.tile
        let datatake = (properties?["s2:datatake_id"]?.string).flatMap { ProductName($0).datatake }
        about.datatake = datatake ?? product.datatake
        about.strip = (properties?["s2:datastrip_id"]?.string).flatMap { ProductName($0).strip }
        about.generated = properties?[first: "s2:generation_time", "sentinel2:generation_time"]?.string
            .flatMap(Timestamp.seconds)
        about.baseline = baseline(properties) ?? product.baseline
        return about
    }

    private static func sensor(collection: String, properties: Json?) -> Scene.Sensor {
        let name = collection.lowercased()
        if name.hasPrefix("ai-ready-mosaics") { return .earthDaily }
        let platform = [properties?["constellation"]?.string, properties?["platform"]?.string]
            .compactMap { $0?.lowercased() }.joined(separator: " ").replacing(" ", with: "-")
        if name.hasPrefix("sentinel-2") || name.hasPrefix("sentinel-s2") || platform.contains("sentinel-2") {
            return .sentinel2
        }
        return name.hasPrefix("landsat") || platform.contains("landsat") ? .landsat : .plain
    }

    private static func tile(_ properties: Json?) -> String? {
        let written =
            properties?["s2:mgrs_tile"]?.string
            ?? properties?["grid:code"]?.string.flatMap {
                $0.hasPrefix("MGRS-") ? String($0.dropFirst(5)) : nil
            }
        guard let match = written?.wholeMatch(of: /T?([0-9]{1,2})([A-Z]{3})/) else { return nil }
        return (match.1.count == 1 ? "0" : "") + match.1 + match.2
    }

    private static func baseline(_ properties: Json?) -> Double? {
        let written = properties?[
            first: "s2:processing_baseline", "sentinel2:processing_baseline", "processing:version"]
        return (written?.number ?? written?.string.flatMap(Double.init)).flatMap(Acquisition.baseline)
    }

    private static func places(
        _ assets: [(key: String, value: Json)], sensor: Scene.Sensor
    ) -> [String: [Place]] {
        var result: [String: [Place]] = [:]
        for (key, asset) in assets {
            guard let href = asset["href"]?.string, isData(key, asset) else { continue }
            let described = asset[first: "bands", "eo:bands"]?.array ?? []
            let raster = asset["raster:bands"]?.array ?? asset["bands"]?.array ?? []
            let (base, suffix) = splitKey(key)
            for number in 1...max(1, described.count) {
                let band = described.indices.contains(number - 1) ? described[number - 1] : nil
                let own = raster.indices.contains(number - 1) ? raster[number - 1] : nil
                guard let name = bandName(base, band, isSingle: described.count <= 1, sensor: sensor) else {
                    continue
                }
                let type = (own?["data_type"] ?? asset["data_type"])?.string ?? ""
                result[name, default: []].append(
                    Place(
                        assetKey: key, href: href, number: number,
                        scale: (own?[first: "scale", "raster:scale"] ?? asset["raster:scale"])?.number,
                        offset: (own?[first: "offset", "raster:offset"] ?? asset["raster:offset"])?.number,
                        isFloat: type.hasPrefix("float"), rank: suffix + (described.count > 1 ? 100_000 : 0)))
            }
        }
        return result.mapValues { $0.sorted { ($0.rank, $0.assetKey) < ($1.rank, $1.assetKey) } }
    }

    /// Pictures, previews and metadata are no bands.
    private static func isData(_ key: String, _ asset: Json) -> Bool {
        let roles = (asset["roles"]?.array ?? []).compactMap { $0.string?.lowercased() }
        let pictures = ["visual", "thumbnail", "overview", "metadata", "tiles"]
        guard !roles.contains(where: pictures.contains) else { return false }
        let name = key.lowercased()
        return !["visual", "preview", "thumbnail", "tci", "rendered"].contains(where: name.hasPrefix)
    }

    /// `red_20m` → (`red`, 20); `red-jp2` → (`red`, 10000): the suffix as a rank.
    private static func splitKey(_ key: String) -> (base: String, rank: Int) {
        var base = key
        var rank = 0
        if base.lowercased().hasSuffix("-jp2") {
            base = String(base.dropLast(4))
            rank += 10_000
        }
        if let match = base.wholeMatch(of: /(.+)_([0-9]{2})m/), let metres = Int(match.2) {
            base = String(match.1)
            rank += metres
        }
        return (base, rank)
    }

    /// The common name: by the asset's key, the band's name, or its `common_name`, which for red edges is
    /// vague.
    private static func bandName(_ key: String, _ band: Json?, isSingle: Bool, sensor: Scene.Sensor)
        -> String?
    {
        if isSingle {
            if key.lowercased() == BandFileName.classification { return BandFileName.classification }
            if let name = BandName.common(key, sensor: sensor) { return name }
        }
        let names = [band?["name"]?.string, band?[first: "common_name", "eo:common_name"]?.string]
        return names.compactMap { $0.flatMap { BandName.common($0, sensor: sensor) } }.first
    }
}
